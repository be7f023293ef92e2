#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// ML-DSA-44, -65, -87 (FIPS 204). Every function that takes an algorithm fails with kWrongKeyType for one that is not
// of ML-DSA and with kUnsupported when no provider serves it. Options that break the rules below are kInvalidPayload.
namespace wvds::crypto {

struct MlDsaOptions {
  Bytes context;               // at most 255 bytes, private memory; must be empty with external_mu
  bool deterministic = false;  // FIPS 204, section 3.4: rnd is 32 zero bytes
  bool external_mu = false;    // the message is the 64-byte mu of FIPS 204, algorithm 7, line 6
};

// MlDsaPublicKey verifies. Thread-safe.
class MlDsaPublicKey {
 public:
  // import takes the raw encoding of FIPS 204 (pkEncode). kInvalidPayload when the length is wrong.
  static Result<std::unique_ptr<MlDsaPublicKey>> import(const Library& library, Algorithm algorithm, Bytes public_key);
  virtual ~MlDsaPublicKey() = default;

  // verify reads `message` once, in place (64 bytes with external_mu: kInvalidPayload otherwise); `signature` must be
  // private memory. kSignatureInvalid, also for a signature of the wrong length.
  virtual Result<> verify(const MlDsaOptions& options, UntrustedBytes message, Bytes signature) const = 0;
};

// MlDsaPrivateKey signs and verifies. Thread-safe. Holds the expanded key (about 30 KB for ML-DSA-65).
class MlDsaPrivateKey : public MlDsaPublicKey {
 public:
  // generate makes a key pair with the provider's pairwise test (FIPS 204, algorithm 1) and hands out its seed for
  // storage; `seed_out` changes on success only. from_seed: kInvalidPayload for a wrong length. Both: kLimitReached
  // when the secure heap has no room for an expanded key.
  static Result<std::unique_ptr<MlDsaPrivateKey>> generate(const Library& library, Algorithm algorithm,
                                                           LockedBytes& seed_out);
  static Result<std::unique_ptr<MlDsaPrivateKey>> from_seed(const Library& library, Algorithm algorithm, Bytes seed);

  virtual Bytes public_key() const = 0;

  // sign reads `message` once, in place, and writes exactly the algorithm's signature size into `signature` (private
  // memory). On failure it is wiped.
  virtual Result<> sign(const MlDsaOptions& options, UntrustedBytes message, MutableBytes signature) const = 0;
};

// seed_from_pkcs8 takes the seed out of a DER PrivateKeyInfo of an ML-DSA or ML-KEM key (RFC 9881, RFC 9935).
// kInvalidPayload when it is not one of `algorithm`, kUnsupported when it holds only the expanded key, kLimitReached
// when the secure heap has no room to read it.
Result<LockedBytes> seed_from_pkcs8(const Library& library, Algorithm algorithm, Bytes der);

}  // namespace wvds::crypto
