#pragma once

#include <string>

#include "base/result.h"
#include "crypto/openssl_handles.h"

namespace wvds::crypto {

// Providers is a library context of our own with the providers of one mode. The process's default context, OPENSSL_CONF
// and OPENSSL_MODULES have no influence on it.
struct Providers {
  LibCtxHandle context;
  ProviderHandle algorithms;  // "fips" or "default"
  ProviderHandle encodings;   // "base", beside "fips": reads PKCS#8
};

struct FipsFiles {
  std::string modules_dir;
  std::string config;
};

// load_fips_providers loads fips.so, which runs its integrity check and self-tests, with the parameters of
// `files.config`; algorithms that are not of the module can't be fetched afterwards. kCryptoError; the detail names the
// file, the cause and the cure. A module whose self-test failed stays unusable until the process ends.
Result<Providers> load_fips_providers(const FipsFiles& files);

Result<Providers> load_default_providers(const std::string& modules_dir);

// provider_title returns name and version ("OpenSSL FIPS Provider 3.6.3"); provider_runs is false once the provider is
// in an error state.
std::string provider_title(const OSSL_PROVIDER* provider);
bool provider_runs(const OSSL_PROVIDER* provider);

}  // namespace wvds::crypto
