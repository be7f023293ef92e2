#pragma once

#include <memory>

#include "keystore/protector.h"

namespace wvds::keystore {

// make_memory_protector keeps the key-encryption key in this process only: for tests, and for stores that need not
// outlive the service. A header made by one memory protector opens with no other one.
std::unique_ptr<Protector> make_memory_protector();

}  // namespace wvds::keystore
