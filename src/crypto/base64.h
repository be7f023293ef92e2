#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/wiped.h"

// Base64 (RFC 4648, section 4). Thread-safe. What is encoded may be a secret: the buffers are wiped, and neither time
// nor memory accesses tell more of it than its length and whether it is base64.
namespace wvds::crypto {

inline constexpr size_t kMaxBase64Input = 16 << 20;  // bytes to encode, or characters to decode

// base64_encode gives one line without its end, padded. kInvalidPayload over kMaxBase64Input.
Result<WipedBuffer> base64_encode(Bytes data);

// base64_decode takes exactly what base64_encode gives for some bytes: no white space, padded, the unused bits of the
// last character zero. kInvalidPayload otherwise.
Result<WipedBuffer> base64_decode(Bytes text);

}  // namespace wvds::crypto
