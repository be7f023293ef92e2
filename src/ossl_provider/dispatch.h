#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include "ossl_provider/key.h"

// How tables of functions for OpenSSL are written.
namespace wvds::ossl_provider {

// StoreReference is what the store passes to key management as OSSL_OBJECT_PARAM_REFERENCE.
struct StoreReference {
  ProviderContext* provider;
  KeyOffer* offer;
};

inline constexpr OSSL_DISPATCH kEnd{0, nullptr};

// entry is one line of a table; Function is the type that core_dispatch.h gives to `number`.
template <class Function>
OSSL_DISPATCH entry(int number, Function* function) {
  return {number, reinterpret_cast<void (*)()>(function)};
}

template <class Functions>
OSSL_ALGORITHM algorithm_entry(const char* names, const char* properties, const Functions& functions) {
  return {names, properties, functions.data(), nullptr};
}

// As OpenSSL's own providers name them
inline constexpr const char* kMlDsa44Names = "ML-DSA-44:MLDSA44:2.16.840.1.101.3.4.3.17:id-ml-dsa-44";
inline constexpr const char* kMlDsa65Names = "ML-DSA-65:MLDSA65:2.16.840.1.101.3.4.3.18:id-ml-dsa-65";
inline constexpr const char* kMlDsa87Names = "ML-DSA-87:MLDSA87:2.16.840.1.101.3.4.3.19:id-ml-dsa-87";

}  // namespace wvds::ossl_provider
