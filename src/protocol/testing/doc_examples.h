#pragma once

#include <map>
#include <string>

#include "protocol/testing/hex.h"

namespace wvds::protocol::testing {

using Examples = std::map<std::string, Buffer>;

// examples are the frames that docs/protocol.md shows, by the name of their block, as the code encodes them.
Examples examples();

}  // namespace wvds::protocol::testing
