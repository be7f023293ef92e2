#include "crypto/program_version.h"

#include <openssl/crypto.h>

#include "crypto/openssl_place.h"
#include "crypto/providers.h"

namespace wvds::crypto {

std::string program_version(const std::string& program, const std::string& version) {
  const auto fips = load_fips_providers(default_fips_files());
  const std::string module = fips ? provider_title(fips->algorithms.get()) : "no FIPS provider: " + fips.error().detail;
  return program + " " + version + "\n" + OpenSSL_version(OPENSSL_VERSION) + "\n" + module;
}

}  // namespace wvds::crypto
