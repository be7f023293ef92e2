#pragma once

namespace wvds::client {

// default_address is where the service is when the caller names no address; static storage.
const char* default_address();

}  // namespace wvds::client
