#pragma once

#include <memory>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// ML-KEM-512, -768, -1024 (FIPS 203). Every function that takes an algorithm fails with kWrongKeyType for one that is
// not of ML-KEM and with kUnsupported when no provider serves it.
namespace wvds::crypto {

// MlKemPublicKey encapsulates. Thread-safe.
class MlKemPublicKey {
 public:
  // import checks the encapsulation key as FIPS 203, section 7.2 demands (length and modulus): kInvalidPayload.
  static Result<std::unique_ptr<MlKemPublicKey>> import(const Library& library, Algorithm algorithm,
                                                        Bytes encapsulation_key);
  virtual ~MlKemPublicKey() = default;

  // encapsulate writes exactly the algorithm's ciphertext size into `ciphertext` (private memory). On failure both
  // outputs are wiped.
  virtual Result<> encapsulate(MutableBytes ciphertext, SharedSecret& shared_secret) const = 0;
  virtual Bytes encapsulation_key() const = 0;
};

// MlKemPrivateKey decapsulates and encapsulates. Thread-safe. Holds the expanded key (about 8 KB for ML-KEM-768).
class MlKemPrivateKey : public MlKemPublicKey {
 public:
  // generate runs the provider's pairwise test and hands out the seed (d || z) for storage; `seed_out` changes on
  // success only. from_seed: kInvalidPayload for a wrong length. Both: kLimitReached when the secure heap has no room
  // for an expanded key.
  static Result<std::unique_ptr<MlKemPrivateKey>> generate(const Library& library, Algorithm algorithm,
                                                           LockedBytes& seed_out);
  static Result<std::unique_ptr<MlKemPrivateKey>> from_seed(const Library& library, Algorithm algorithm, Bytes seed);

  // decapsulate takes a ciphertext of the right length (kInvalidPayload otherwise), in private memory. On failure the
  // secret is wiped. A wrong ciphertext of that length yields another secret, not an error: FIPS 203, implicit
  // rejection.
  virtual Result<> decapsulate(Bytes ciphertext, SharedSecret& shared_secret) const = 0;
};

}  // namespace wvds::crypto
