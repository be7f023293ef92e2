#pragma once

#include <memory>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// ECDSA on P-256 and P-384 (FIPS 186-5, section 6; SP 800-186). Every function that takes an algorithm fails with
// kWrongKeyType for one that is not of ECDSA and with kUnsupported when no provider serves it.
namespace wvds::crypto {

struct EcdsaOptions {
  Hash hash = Hash::kNone;
  bool is_digest = false;  // the message is its digest already, of exactly hash_size(hash) bytes
};

// EcdsaPublicKey verifies. Thread-safe.
class EcdsaPublicKey {
 public:
  // import takes the uncompressed point (SEC 1, section 2.3.3), and no other form of it. kInvalidPayload when it is
  // none, or no point of the curve (SP 800-56A, section 5.6.2.3.3).
  static Result<std::unique_ptr<EcdsaPublicKey>> import(const Library& library, Algorithm algorithm, Bytes public_key);
  virtual ~EcdsaPublicKey() = default;

  // verify reads `message` once, in place; a digest and `signature` must be private memory. The signature is a DER
  // Ecdsa-Sig-Value (RFC 3279, section 2.2.3); what is none is kSignatureInvalid too. kInvalidPayload for what is no
  // hash and for a digest of another length than the hash's.
  virtual Result<> verify(const EcdsaOptions& options, UntrustedBytes message, Bytes signature) const = 0;
};

// EcdsaPrivateKey signs and verifies. Thread-safe.
class EcdsaPrivateKey : public EcdsaPublicKey {
 public:
  // generate makes a key pair (FIPS 186-5, appendix A.2) and hands out its private scalar for storage, big-endian and
  // as long as the curve's order; `scalar_out` changes on success only. from_scalar: kInvalidPayload for a wrong
  // length, for 0, and for what is not less than the order. Both: with a pairwise test; kLimitReached when the secure
  // heap has no room for a key.
  static Result<std::unique_ptr<EcdsaPrivateKey>> generate(const Library& library, Algorithm algorithm,
                                                           LockedBytes& scalar_out);
  static Result<std::unique_ptr<EcdsaPrivateKey>> from_scalar(const Library& library, Algorithm algorithm,
                                                              Bytes scalar);

  virtual Bytes public_key() const = 0;

  // sign reads `message` once, in place (a digest must be private memory), and writes a DER Ecdsa-Sig-Value to
  // `signature`, private memory of exactly the algorithm's signature size. Returns how many bytes it has: they differ
  // from one signature to the next. The random number of each signature is OpenSSL's, from the approved generator mixed
  // with key and digest. On failure `signature` is wiped.
  virtual Result<size_t> sign(const EcdsaOptions& options, UntrustedBytes message, MutableBytes signature) const = 0;
};

// scalar_from_pkcs8 takes the private scalar out of a DER PrivateKeyInfo of an EC key (RFC 5958, RFC 5915) that names
// its curve, or out of the ECPrivateKey of RFC 5915 alone. kInvalidPayload when it is not one of `algorithm`, when it
// describes its curve instead of naming it, and when its public key is another's; kLimitReached when the secure heap
// has no room to read it.
Result<LockedBytes> scalar_from_pkcs8(const Library& library, Algorithm algorithm, Bytes der);

}  // namespace wvds::crypto
