#include "crypto/openssl_place.h"

namespace wvds::crypto {

FipsFiles default_fips_files() { return {"/rom", "/rom/fipsmodule.cnf"}; }  // boot modules

}  // namespace wvds::crypto
