#pragma once

#include <array>
#include <memory>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

namespace wvds::crypto {

// MessageDigest hashes a message that comes in pieces (FIPS 180-4). One thread at a time.
class MessageDigest {
 public:
  // Value has the digest in front; `size` of its bytes count.
  struct Value {
    std::array<std::byte, kMaxHashSize> bytes{};
    size_t size = 0;
    Bytes digest() const { return Bytes(bytes).first(size); }
  };

  // start: kInvalidPayload for what is no hash, kUnsupported where no provider has it.
  static Result<std::unique_ptr<MessageDigest>> start(const Library& library, Hash hash);
  virtual ~MessageDigest() = default;

  // update adds the next piece of the message; finish gives the digest, once. Both: kCryptoError, after which the
  // object is of no use.
  virtual Result<> update(Bytes piece) = 0;
  virtual Result<Value> finish() = 0;
};

}  // namespace wvds::crypto
