#include "crypto/argon2id.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/proverr.h>

#include <array>

#include "crypto/openssl_error.h"
#include "crypto/openssl_handles.h"

// By OpenSSL, whose secure heap, where this working memory would have to fit, does not exist here.
namespace wvds::crypto {
namespace {

OSSL_PARAM number_param(const char* name, uint32_t& value) { return OSSL_PARAM_construct_uint32(name, &value); }

}  // namespace

Result<> run_argon2id(const Library& library, const Argon2idInputs& inputs, const Argon2idCost& cost,
                      MutableBytes out) {
  const KdfHandle kdf(EVP_KDF_fetch(library.context(), "ARGON2ID", nullptr));
  if (!kdf) return openssl_failure(Status::kUnsupported, "this library's provider has no Argon2id");
  const KdfCtxHandle context(EVP_KDF_CTX_new(kdf.get()));
  Argon2idCost numbers = cost;
  uint32_t threads = 1;
  const std::array parameters{octet_param(OSSL_KDF_PARAM_PASSWORD, inputs.passphrase),
                              octet_param(OSSL_KDF_PARAM_SALT, inputs.salt),
                              octet_param(OSSL_KDF_PARAM_SECRET, inputs.secret),
                              octet_param(OSSL_KDF_PARAM_ARGON2_AD, inputs.associated),
                              number_param(OSSL_KDF_PARAM_ITER, numbers.passes),
                              number_param(OSSL_KDF_PARAM_ARGON2_MEMCOST, numbers.memory_kib),
                              number_param(OSSL_KDF_PARAM_ARGON2_LANES, numbers.lanes),
                              number_param(OSSL_KDF_PARAM_THREADS, threads),
                              OSSL_PARAM_construct_end()};
  ERR_clear_error();
  if (context && EVP_KDF_derive(context.get(), data_of(out), out.size(), parameters.data()) == 1) return {};
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) == ERR_LIB_PROV && ERR_GET_REASON(error) == PROV_R_INVALID_MEMORY_SIZE) {
    clear_openssl_errors();
    return no_argon2id_memory(cost);
  }
  return openssl_failure(Status::kCryptoError, "Argon2id failed");
}

}  // namespace wvds::crypto
