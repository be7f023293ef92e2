#include "client/default_address.h"

namespace wvds::client {

const char* default_address() { return "crypto"; }

}  // namespace wvds::client
