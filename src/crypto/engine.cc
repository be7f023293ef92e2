#include "crypto/engine.h"

#include <algorithm>
#include <utility>

#include "crypto/openssl_error.h"
#include "crypto/providers.h"

namespace wvds::crypto {
namespace {

// In FIPS mode everything is fetched with "fips=yes", which no engine can have. A query that says nothing about it is
// freed from that default.
std::string query_of(const std::string& properties) {
  return properties.find("fips") == std::string::npos ? properties + ",-fips" : properties;
}

const OSSL_PROVIDER* provider_of_keys(OSSL_LIB_CTX* context, const char* name, const char* query) {
  const KeymgmtHandle keys(EVP_KEYMGMT_fetch(context, name, query));
  return keys ? EVP_KEYMGMT_get0_provider(keys.get()) : nullptr;
}

const OSSL_PROVIDER* provider_of_operation(const FetchedPqc& fetched) {
  return fetched.signature ? EVP_SIGNATURE_get0_provider(fetched.signature.get())
                           : EVP_KEM_get0_provider(fetched.kem.get());
}

// Where the keys and the operation of an algorithm come from; null where from two or from none.
const OSSL_PROVIDER* source_of(OSSL_LIB_CTX* context, const FetchedPqc& fetched, const char* name) {
  if (!fetched.usable()) return nullptr;
  const OSSL_PROVIDER* operation = provider_of_operation(fetched);
  return provider_of_keys(context, name, fetched.query()) == operation ? operation : nullptr;
}

Result<FetchedPqc> fetch_one(OSSL_LIB_CTX* context, const Engine& engine, Algorithm algorithm) {
  const std::string name = algorithm_info(algorithm)->name;
  const std::string under = name + " under the properties \"" + engine.config.properties + "\"";
  FetchedPqc found = fetch_pqc(context, algorithm, query_of(engine.config.properties));
  if (!found.usable()) {
    return engine_failure(engine.config, "it does not offer " + under +
                                             ": name properties that it has, or leave the algorithm to OpenSSL's own "
                                             "provider by taking it out of \"algorithms\"");
  }
  if (source_of(context, found, name.c_str()) != engine.provider.get()) {
    return engine_failure(engine.config, "another provider serves " + under +
                                             ": name properties that only this module has, such as \"provider=NAME\"");
  }
  return found;
}

template <class HandleType, class Provider>
bool comes_from(const OSSL_PROVIDER* wanted, const HandleType& object, Provider provider) {
  return !object || provider(object.get()) == wanted;
}

bool ecdsa_comes_from(const OSSL_PROVIDER* wanted, OSSL_LIB_CTX* context, const FetchedEcdsa& fetched) {
  if (!fetched.usable()) return true;
  return provider_of_keys(context, "EC", nullptr) == wanted &&
         std::ranges::all_of(fetched.signatures, [&](const SignatureHandle& signature) {
           return EVP_SIGNATURE_get0_provider(signature.get()) == wanted;
         });
}

bool rest_comes_from(const OSSL_PROVIDER* wanted, OSSL_LIB_CTX* context, const Fetched& fetched) {
  const RandHandle generator(EVP_RAND_fetch(context, "CTR-DRBG", nullptr));
  return comes_from(wanted, fetched.aes_256_gcm, EVP_CIPHER_get0_provider) &&
         comes_from(wanted, fetched.sha256, EVP_MD_get0_provider) &&
         comes_from(wanted, fetched.sha384, EVP_MD_get0_provider) &&
         comes_from(wanted, fetched.sha512, EVP_MD_get0_provider) &&
         comes_from(wanted, fetched.shake256, EVP_MD_get0_provider) &&
         comes_from(wanted, fetched.hkdf, EVP_KDF_get0_provider) &&
         comes_from(wanted, fetched.pbkdf2, EVP_KDF_get0_provider) &&
         ecdsa_comes_from(wanted, context, fetched.ecdsa) && comes_from(wanted, generator, EVP_RAND_get0_provider);
}

}  // namespace

std::unexpected<Error> engine_failure(const EngineConfig& config, const std::string& what) {
  return openssl_failure(Status::kCryptoError, "the engine " + config.module + " can't be used: " + what);
}

Result<Engine> load_engine(OSSL_LIB_CTX* context, const EngineConfig& config) {
  Engine engine;
  engine.config = config;
  engine.provider.reset(OSSL_PROVIDER_load(context, config.module.c_str()));
  if (!engine.provider) {
    return engine_failure(config, std::string("it did not load; is it a provider module, made for ") +
                                      OpenSSL_version(OPENSSL_VERSION) + " and this processor?");
  }
  if (OSSL_PROVIDER_self_test(engine.provider.get()) != 1) return engine_failure(config, "its self-test failed");
  engine.title = provider_title(engine.provider.get());
  return engine;
}

Result<> fetch_from_engine(OSSL_LIB_CTX* context, const Engine& engine, Fetched& fetched) {
  for (const Algorithm algorithm : engine.config.algorithms) {
    WVDS_ASSIGN(found, fetch_one(context, engine, algorithm));
    fetched.slot_of(algorithm) = std::move(found);
  }
  return {};
}

Result<> check_sources(OSSL_LIB_CTX* context, const OSSL_PROVIDER* algorithms) {
  const Fetched now = Fetched::fetch_all(context);
  bool right = rest_comes_from(algorithms, context, now);
  for (const Algorithm algorithm : kPqcAlgorithms) {
    const FetchedPqc* found = now.pqc_of(algorithm);
    right = right && (found == nullptr || source_of(context, *found, algorithm_info(algorithm)->name) == algorithms);
  }
  clear_openssl_errors();
  if (right) return {};
  return fail(Status::kCryptoError,
              "an engine serves what it was not chosen for: it claims properties that are OpenSSL's own; take it out");
}

const Engine* engine_of(const std::vector<Engine>& engines, Algorithm algorithm) {
  const auto chosen = [&](const Engine& engine) {
    return std::ranges::find(engine.config.algorithms, algorithm) != engine.config.algorithms.end();
  };
  const auto found = std::ranges::find_if(engines, chosen);
  return found == engines.end() ? nullptr : &*found;
}

}  // namespace wvds::crypto
