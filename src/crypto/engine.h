#pragma once

#include <string>
#include <vector>

#include "crypto/fetched.h"
#include "crypto/library.h"

// A provider module of the operator's choice that serves some ML-DSA and ML-KEM parameter sets. For crypto/ only.
namespace wvds::crypto {

// Engine is a loaded module. It runs in this process, with every key in its reach.
struct Engine {
  EngineConfig config;
  ProviderHandle provider;
  std::string title;  // its name and version, as it says itself
};

// load_engine loads the module into `context`. kCryptoError; the detail names the module, the cause and the cure.
Result<Engine> load_engine(OSSL_LIB_CTX* context, const EngineConfig& config);

// fetch_from_engine puts the engine's implementation of each chosen algorithm into `fetched`. An algorithm that does
// not come from this very module is kCryptoError: nothing falls back to another provider.
Result<> fetch_from_engine(OSSL_LIB_CTX* context, const Engine& engine, Fetched& fetched);

// check_sources looks everything up again, now that engines are there: what OpenSSL finds without a query of ours must
// still come from `algorithms`, the provider of the mode. kCryptoError otherwise.
Result<> check_sources(OSSL_LIB_CTX* context, const OSSL_PROVIDER* algorithms);

// engine_of returns the engine that was chosen for an algorithm; null for none.
const Engine* engine_of(const std::vector<Engine>& engines, Algorithm algorithm);

// engine_failure is the error of an engine, with what OpenSSL says.
std::unexpected<Error> engine_failure(const EngineConfig& config, const std::string& what);

}  // namespace wvds::crypto
