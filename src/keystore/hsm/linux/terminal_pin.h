#pragma once

#include <memory>
#include <string>

#include "keystore/hsm/pin_source.h"

namespace wvds::keystore::hsm {

// make_terminal_pin asks at the terminal of this process, without echo. kStorageError where it has none.
std::unique_ptr<PinSource> make_terminal_pin(std::string token);

}  // namespace wvds::keystore::hsm
