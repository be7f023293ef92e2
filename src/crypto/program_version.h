#pragma once

#include <string>

namespace wvds::crypto {

// program_version is what a program says of itself to --version: its own line ("wvds_est_service 0.1.0"), then OpenSSL
// and its FIPS module by their versions. It loads the module (with its self-tests), the one that is used where no
// configuration names another; where that does not load, the last line says why.
std::string program_version(const std::string& program, const std::string& version);

}  // namespace wvds::crypto
