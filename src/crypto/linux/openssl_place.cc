#include "crypto/openssl_place.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <unistd.h>

namespace wvds::crypto {

// Two layouts: the module beside the library, as it is delivered, and OpenSSL's own (lib/ossl-modules/, ssl/). A module
// is trusted no further than the library, which it is beside; both must be writable for root only.
FipsFiles default_fips_files() {
  Dl_info libcrypto{};
  if (::dladdr(reinterpret_cast<const void*>(&OpenSSL_version), &libcrypto) == 0 || libcrypto.dli_fname == nullptr)
    return {};
  const std::string file = libcrypto.dli_fname;
  const std::string folder = file.substr(0, file.rfind('/') + 1);
  if (::access((folder + "fips.so").c_str(), F_OK) == 0) return {folder, folder + "fipsmodule.cnf"};
  return {folder + "ossl-modules", folder + "../ssl/fipsmodule.cnf"};
}

}  // namespace wvds::crypto
