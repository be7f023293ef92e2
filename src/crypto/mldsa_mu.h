#pragma once

#include <array>
#include <memory>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

namespace wvds::crypto {

// MlDsaMu computes the mu of FIPS 204 (algorithm 7, line 6) of a message that comes in pieces. A signature of that mu
// is an ordinary ML-DSA signature of the message with this context. One thread at a time.
class MlDsaMu {
 public:
  using Value = std::array<std::byte, kMuSize>;

  // start begins with the raw public key and the context string. kWrongKeyType for an algorithm that is none of ML-DSA,
  // kInvalidPayload for a key of another length or a context over 255 bytes, kUnsupported where no provider has
  // SHAKE256.
  static Result<std::unique_ptr<MlDsaMu>> start(const Library& library, Algorithm algorithm, Bytes public_key,
                                                Bytes context);
  virtual ~MlDsaMu() = default;

  // update adds the next piece of the message; finish gives mu, once. Both: kCryptoError, after which the object is of
  // no use.
  virtual Result<> update(Bytes piece) = 0;
  virtual Result<Value> finish() = 0;
};

}  // namespace wvds::crypto
