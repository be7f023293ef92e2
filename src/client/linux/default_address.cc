#include "client/default_address.h"

namespace wvds::client {

const char* default_address() { return "/run/wvds/crypto.sock"; }

}  // namespace wvds::client
