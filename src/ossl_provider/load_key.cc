#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include "base/handle.h"
#include "crypto/openssl_error.h"
#include "ossl_provider/key_uri.h"
#include "ossl_provider/provider.h"

namespace wvds::ossl_provider {
namespace {

// status_in_queue is the reason of the last error that this provider raised; kCryptoError where there is none.
Status status_in_queue() {
  const unsigned long last = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(last);
  const char* name = ERR_reason_error_string(last);
  const bool ours = name != nullptr && reason > 0 && reason <= 0xff &&
                    std::string_view(name) == status_name(static_cast<Status>(reason));
  return ours ? static_cast<Status>(reason) : Status::kCryptoError;
}

std::unexpected<Error> load_failure(const std::string& uri) {
  const Status status = status_in_queue();
  return crypto::openssl_failure(status, uri);
}

}  // namespace

void PkeyRelease::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

void ProviderUnload::operator()(ossl_provider_st* provider) const { OSSL_PROVIDER_unload(provider); }

Result<LoadedProvider> add_provider(ossl_lib_ctx_st* context) {
  if (OSSL_PROVIDER_add_builtin(context, kProviderName, provider_init) == 1) {
    if (LoadedProvider loaded(OSSL_PROVIDER_try_load(context, kProviderName, 1)); loaded) return loaded;
  }
  return crypto::openssl_failure(Status::kCryptoError, "the provider of the crypto service's keys did not load");
}

Result<Pkey> load_key(ossl_lib_ctx_st* context, const std::string& uri) {
  WVDS_TRY(parse_key_uri(uri));
  const Handle<OSSL_STORE_CTX, OSSL_STORE_close> store(
      OSSL_STORE_open_ex(uri.c_str(), context, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  if (!store || OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY) != 1) return load_failure(uri);
  const Handle<OSSL_STORE_INFO, OSSL_STORE_INFO_free> info(OSSL_STORE_load(store.get()));
  Pkey key(info ? OSSL_STORE_INFO_get1_PKEY(info.get()) : nullptr);
  if (!key) return load_failure(uri);
  crypto::clear_openssl_errors();
  return key;
}

}  // namespace wvds::ossl_provider
