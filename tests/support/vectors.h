#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"

// The third-party test vectors of tests/vectors/ as plain values, for unit tests and for tests through the running
// service. A file that is missing or malformed throws, which fails the test that asked for it.
namespace wvds::test {

using Octets = std::vector<std::byte>;

// vector_path is where a file of tests/vectors/ is on this system.
std::string vector_path(const std::string& file);

// LeftOut counts cases of the source files that are not in tests/vectors/, and why.
struct LeftOut {
  std::string reason;
  size_t cases = 0;
};

template <class Case>
struct Vectors {
  std::vector<Case> cases;
  std::vector<LeftOut> left_out;
};

// Every case has an id for messages: "wycheproof/aes_gcm_test.json case 91".

struct AeadCase {
  std::string id;
  Octets key, nonce, aad, plaintext, ciphertext, tag;
  bool valid = false;  // otherwise decryption must refuse the tag
};

// KeygenCase: `seed` gives `public_key`.
struct KeygenCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets seed, public_key;
};

// MlDsaSignCase: `seed` signs `message` deterministically to `signature`. Where not `valid`, the seed has a wrong
// length or the context is too long, and there is no signature. A Wycheproof case that has message and mu gives two of
// these.
struct MlDsaSignCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets seed, message, context, signature;
  bool external_mu = false;  // message is mu
  bool valid = true;
};

struct MlDsaVerifyCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets public_key, message, context, signature;
  bool external_mu = false;
  bool valid = false;
};

// EcdsaVerifyCase: where not `valid`, the signature is wrong or no DER.
struct EcdsaVerifyCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Hash hash = Hash::kNone;
  Octets public_key, message, signature;
  bool valid = false;
};

// Pkcs8Case: `der` holds `seed`.
struct Pkcs8Case {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets der, seed;
};

// MlKemDecapsCase: where not `valid`, seed or ciphertext have a wrong length.
struct MlKemDecapsCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets seed, ciphertext, shared_secret;
  bool valid = false;
};

// MlKemEncapsCase: `m` is FIPS 203's randomness, which the product never takes from outside.
struct MlKemEncapsCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets encapsulation_key, m, ciphertext, shared_secret;
};

// MlKemKeyCase: where not `valid`, FIPS 203's check of section 7.2 must refuse the key.
struct MlKemKeyCase {
  std::string id;
  Algorithm algorithm = Algorithm::kNone;
  Octets encapsulation_key;
  bool valid = false;
};

Vectors<AeadCase> aes_256_gcm_vectors();
Vectors<KeygenCase> mldsa_keygen_vectors();
Vectors<MlDsaSignCase> mldsa_sign_vectors();
Vectors<MlDsaVerifyCase> mldsa_verify_vectors();
Vectors<Pkcs8Case> mldsa_pkcs8_vectors();
Vectors<EcdsaVerifyCase> ecdsa_verify_vectors();
Vectors<KeygenCase> mlkem_keygen_vectors();
Vectors<MlKemDecapsCase> mlkem_decaps_vectors();
Vectors<MlKemEncapsCase> mlkem_encaps_vectors();
Vectors<MlKemKeyCase> mlkem_key_vectors();

// How many cases there are; a test that ran another number must fail.
inline constexpr size_t kAes256GcmCases = 66;
inline constexpr size_t kMlDsaKeygenCases = 75;
inline constexpr size_t kMlDsaSignCases = 435;
inline constexpr size_t kMlDsaVerifyCases = 511;
inline constexpr size_t kMlDsaPkcs8Cases = 41;
inline constexpr size_t kEcdsaVerifyCases = 2014;
inline constexpr size_t kMlKemKeygenCases = 375;
inline constexpr size_t kMlKemDecapsCases = 416;
inline constexpr size_t kMlKemEncapsCases = 75;
inline constexpr size_t kMlKemKeyCases = 298;

// Skipped is a case that the caller did not run, by reason.
using Skipped = std::vector<LeftOut>;

// report prints how many cases ran, how many the caller skipped and how many were left out of tests/vectors/, each with
// its reason.
void report(std::string_view what, size_t ran, const Skipped& left_out, const Skipped& skipped = {});

}  // namespace wvds::test
