#pragma once

#include <array>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

// Hash functions that are no part of a key's life. SHA-256 stands in kdf.h.
namespace wvds::crypto {

// md5 is for HTTP Digest authentication of old servers (RFC 7616) and nothing else: it holds back no attacker who
// makes collisions. kUnsupported where FIPS is active or required, and where no provider has it.
Result<std::array<std::byte, 16>> md5(const Library& library, Bytes data);

}  // namespace wvds::crypto
