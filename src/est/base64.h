#pragma once

#include "base/bytes.h"
#include "base/wiped.h"
#include "est/failure.h"

// Bodies of EST messages: base64, whether or not a header says so (RFC 8951, section 3).
namespace wvds::est {

// encode_body gives one line without its end. kTooLarge over 16 MB.
Outcome<WipedBuffer> encode_body(Bytes data);

// decode_body takes base64 (RFC 4648, section 4) with spaces, tabs and line ends of any kind anywhere: RFC 8951,
// section 3.1, and one zero byte at the end, where libest sends that of its text. Everything else must be right:
// alphabet, padding, unused bits. At most `limit` bytes come out: kTooLarge. kBadBase64 names what is wrong and where.
Outcome<WipedBuffer> decode_body(Bytes text, size_t limit);

}  // namespace wvds::est
