#pragma once

#include <cstdint>
#include <memory>

#include "config/service_config.h"
#include "crypto/library.h"

// What starting the service has in common on every operating system.
namespace wvds::service {

// fips_word is "off", "active" or "unavailable"; static.
const char* fips_word(crypto::FipsState state);

// new_epoch draws the number by which clients tell one start of the service from the next. kCryptoError without random
// numbers.
Result<uint64_t> new_epoch(const crypto::Library& library);

// log_ready says where the service is reached, what cryptography it has, and why FIPS is missing where it is.
void log_ready(const config::ServiceConfig& config, const crypto::Library& library, const std::string& reached_at);

}  // namespace wvds::service
