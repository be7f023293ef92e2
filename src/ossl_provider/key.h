#pragma once

#include <openssl/core.h>

#include <memory>

#include "ossl_provider/provider_context.h"
#include "ossl_provider/service_key.h"

namespace wvds::ossl_provider {

// Key is a key as OpenSSL's objects hold it: one of the service, or a public key that the program gave. Immutable.
struct Key {
  const KeyType* type = nullptr;
  Octets public_key{};
  std::shared_ptr<const ServiceKey> service{};  // null: only public
};
using SharedKey = std::shared_ptr<const Key>;

// KeyData is what OpenSSL calls keydata: contexts that use the key share it.
struct KeyData {
  ProviderContext& provider;
  SharedKey key;  // null until a public key was imported
};

// KeyOffer is what the store refers to for OSSL_FUNC_keymgmt_load, which copies the key; `refused` comes back, because
// OpenSSL drops the errors of loading.
struct KeyOffer {
  SharedKey key{};
  Error refused{Status::kSuccess, {}};
};

// These list the implementations for OSSL_FUNC_provider_query_operation; static storage. Each algorithm stands there
// twice: with and without fips=yes (provider.h says what that means).
const OSSL_ALGORITHM* keymgmt_tables(bool with_ml_dsa);
const OSSL_ALGORITHM* signature_tables(bool with_ml_dsa);
const OSSL_ALGORITHM* store_tables();

inline constexpr const char* kProperties = "provider=wvds";
inline constexpr const char* kFipsProperties = "provider=wvds,fips=yes";

}  // namespace wvds::ossl_provider
