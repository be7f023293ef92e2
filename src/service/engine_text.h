#pragma once

#include <string>

#include "crypto/library.h"

// Who serves what, for people: STATUS and the log.
namespace wvds::service {

// engine_algorithms lists what an engine serves: "ML-DSA-65, ML-KEM-768".
std::string engine_algorithms(const crypto::EngineInfo& engine);

// provider_text names the mode's provider and behind it the engines: "OpenSSL FIPS Provider 3.6.3; ML-DSA-65 by Quick
// Provider 0.9".
std::string provider_text(const crypto::Library& library);

}  // namespace wvds::service
