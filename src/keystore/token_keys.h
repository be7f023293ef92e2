#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"
#include "crypto/mldsa.h"
#include "crypto/mlkem.h"

namespace wvds::keystore {

inline constexpr size_t kTokenKeyIdSize = 16;  // random bytes by which the token finds the key

// TokenKeys makes and uses keys that never leave a token. Thread-safe; every call but offers blocks as long as the
// token does. What fails in the token is kCryptoError, kUnsupported where it lacks the algorithm; the detail names the
// cause.
class TokenKeys {
 public:
  virtual ~TokenKeys() = default;

  // offers tells whether the token makes keys of that algorithm, as it said when it was opened last.
  virtual bool offers(Algorithm algorithm) const = 0;

  // generate makes a key pair in the token, named `label` there. Nothing stays in the token after a failure.
  struct Made {
    std::vector<std::byte> id;          // kTokenKeyIdSize bytes
    std::vector<std::byte> public_key;  // as FIPS 203 and 204 encode it
  };
  virtual Result<Made> generate(const crypto::Library& library, Algorithm algorithm, const std::string& label) = 0;

  // mldsa and mlkem give the key of that id: the secret is used in the token, the public key here.
  virtual Result<std::unique_ptr<crypto::MlDsaPrivateKey>> mldsa(const crypto::Library& library, Algorithm algorithm,
                                                                 Bytes id, Bytes public_key) = 0;
  virtual Result<std::unique_ptr<crypto::MlKemPrivateKey>> mlkem(const crypto::Library& library, Algorithm algorithm,
                                                                 Bytes id, Bytes public_key) = 0;

  // destroy removes the key from the token for good; success also when it is not there.
  virtual Result<> destroy(Bytes id) = 0;
};

}  // namespace wvds::keystore
