#include "crypto/engine_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/mldsa.h"
#include "crypto/mlkem.h"

namespace wvds::crypto {
namespace {

using Octets = std::vector<std::byte>;

// Known bytes for known answers.
Octets known(size_t size) {
  Octets bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

Octets copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// step names what a failure of `result` is about.
template <class T>
Result<T> step(const char* what, Result<T> result) {
  if (result) return result;
  return fail(Status::kCryptoError, std::string(what) + " failed: " + result.error().detail);
}

Result<> expect(bool holds, const char* what) {
  if (holds) return {};
  return fail(Status::kCryptoError, what);
}

// The reference makes at most one private key at a time: those are in the secure heap, which may be small.
struct MlDsaAnswers {
  Octets public_key;
  Octets with_context;  // deterministic
  Octets of_mu;         // deterministic
};

struct MlDsaSample {
  Octets message = known(100);
  Octets mu = known(kMuSize);
  Octets context = known(7);
  Octets other_context = known(8);

  MlDsaOptions hedged() const { return {context, false, false}; }
  MlDsaOptions deterministic() const { return {context, true, false}; }
  MlDsaOptions external_mu() const { return {{}, true, true}; }
  MlDsaOptions with_other_context() const { return {other_context, false, false}; }
};

Result<Octets> signature(const MlDsaPrivateKey& key, const AlgorithmInfo& info, const MlDsaOptions& options,
                         const Octets& message) {
  Octets out(info.signature);
  WVDS_TRY(key.sign(options, UntrustedBytes(Bytes(message)), out));
  return out;
}

Result<MlDsaAnswers> mldsa_answers(const Library& reference, const AlgorithmInfo& info, Bytes seed,
                                   const MlDsaSample& sample) {
  WVDS_ASSIGN(key, MlDsaPrivateKey::from_seed(reference, info.algorithm, seed));
  WVDS_ASSIGN(with_context, signature(*key, info, sample.deterministic(), sample.message));
  WVDS_ASSIGN(of_mu, signature(*key, info, sample.external_mu(), sample.mu));
  return MlDsaAnswers{copy(key->public_key()), std::move(with_context), std::move(of_mu)};
}

bool accepts(const MlDsaPublicKey& key, const MlDsaOptions& options, const Octets& message, const Octets& signature) {
  return key.verify(options, UntrustedBytes(Bytes(message)), signature).has_value();
}

Result<> check_verifying(const MlDsaPublicKey& key, const MlDsaSample& sample, const MlDsaAnswers& answers) {
  Octets flipped = answers.with_context;
  flipped[flipped.size() / 2] ^= std::byte{1};
  WVDS_TRY(expect(accepts(key, sample.hedged(), sample.message, answers.with_context),
                  "it refuses a valid signature with a context string"));
  WVDS_TRY(expect(accepts(key, {{}, false, true}, sample.mu, answers.of_mu),
                  "it refuses a valid signature of an external mu"));
  WVDS_TRY(expect(!accepts(key, sample.with_other_context(), sample.message, answers.with_context),
                  "it ignores the context string when it verifies"));
  return expect(!accepts(key, sample.hedged(), sample.message, flipped), "it accepts a signature that was changed");
}

Result<> check_signing(const MlDsaPrivateKey& key, const MlDsaPublicKey& reference, const AlgorithmInfo& info,
                       const MlDsaSample& sample, const MlDsaAnswers& answers) {
  WVDS_ASSIGN(first, step("signing", signature(key, info, sample.hedged(), sample.message)));
  WVDS_ASSIGN(second, step("signing", signature(key, info, sample.hedged(), sample.message)));
  WVDS_ASSIGN(again, step("deterministic signing", signature(key, info, sample.deterministic(), sample.message)));
  WVDS_ASSIGN(of_mu, step("signing an external mu", signature(key, info, sample.external_mu(), sample.mu)));
  WVDS_TRY(expect(accepts(reference, sample.hedged(), sample.message, first),
                  "OpenSSL refuses its signature with a context string"));
  WVDS_TRY(expect(first != second, "its signatures are not hedged: two of one message are the same"));
  WVDS_TRY(expect(again == answers.with_context, "its deterministic signature with a context string is another"));
  return expect(of_mu == answers.of_mu, "its deterministic signature of an external mu is another");
}

Result<> check_mldsa_generating(const Library& library, const Library& reference, Algorithm algorithm) {
  LockedBytes seed;
  WVDS_ASSIGN(made, step("generating a key and reading its seed", MlDsaPrivateKey::generate(library, algorithm, seed)));
  WVDS_ASSIGN(expected, MlDsaPrivateKey::from_seed(reference, algorithm, seed.expose()));
  return expect(std::ranges::equal(made->public_key(), expected->public_key()),
                "the seed of a key that it generates gives another key");
}

Result<> check_mldsa(const Library& library, const Library& reference, const AlgorithmInfo& info) {
  const MlDsaSample sample;
  const Octets seed = known(info.secret);
  WVDS_ASSIGN(answers, mldsa_answers(reference, info, seed, sample));
  WVDS_ASSIGN(expected, MlDsaPublicKey::import(reference, info.algorithm, answers.public_key));
  {
    WVDS_ASSIGN(key, step("making a key from its seed", MlDsaPrivateKey::from_seed(library, info.algorithm, seed)));
    WVDS_TRY(expect(std::ranges::equal(key->public_key(), answers.public_key),
                    "a known seed gives another public key than OpenSSL's implementation"));
    WVDS_TRY(check_signing(*key, *expected, info, sample, answers));
    WVDS_TRY(check_verifying(*key, sample, answers));
  }
  WVDS_ASSIGN(verifier,
              step("importing a public key", MlDsaPublicKey::import(library, info.algorithm, answers.public_key)));
  WVDS_TRY(check_verifying(*verifier, sample, answers));
  return check_mldsa_generating(library, reference, info.algorithm);
}

struct Encapsulated {
  Octets ciphertext;
  SharedSecret secret;
};

Result<Encapsulated> encapsulated(const MlKemPublicKey& key, const AlgorithmInfo& info) {
  Encapsulated out;
  out.ciphertext.resize(info.kem_ciphertext);
  WVDS_TRY(key.encapsulate(out.ciphertext, out.secret));
  return out;
}

bool same(const SharedSecret& a, const SharedSecret& b) { return equal_constant_time(a.expose(), b.expose()); }

// What the reference makes of ciphertexts, in one go: see MlDsaAnswers.
struct MlKemAnswers {
  Octets public_key;
  Encapsulated valid;
  Encapsulated changed;  // a changed ciphertext has a secret too, and a certain one: FIPS 203, implicit rejection
};

Result<MlKemAnswers> mlkem_answers(const Library& reference, const AlgorithmInfo& info, Bytes seed) {
  WVDS_ASSIGN(key, MlKemPrivateKey::from_seed(reference, info.algorithm, seed));
  WVDS_ASSIGN(valid, encapsulated(*key, info));
  Encapsulated changed;
  changed.ciphertext = valid.ciphertext;
  changed.ciphertext[0] ^= std::byte{1};
  WVDS_TRY(key->decapsulate(changed.ciphertext, changed.secret));
  return MlKemAnswers{copy(key->encapsulation_key()), std::move(valid), std::move(changed)};
}

// check_encapsulating lets OpenSSL's implementation decapsulate what `key` made.
Result<> check_encapsulating(const MlKemPublicKey& key, const Library& reference, const AlgorithmInfo& info,
                             Bytes seed) {
  WVDS_ASSIGN(first, step("encapsulating", encapsulated(key, info)));
  WVDS_ASSIGN(second, step("encapsulating", encapsulated(key, info)));
  WVDS_TRY(expect(first.ciphertext != second.ciphertext, "two encapsulations give the same ciphertext"));
  WVDS_ASSIGN(expected, MlKemPrivateKey::from_seed(reference, info.algorithm, seed));
  SharedSecret secret;
  WVDS_TRY(expected->decapsulate(first.ciphertext, secret));
  return expect(same(secret, first.secret), "OpenSSL gets another shared secret out of what it encapsulates");
}

Result<> check_decapsulating(const MlKemPrivateKey& key, const MlKemAnswers& answers) {
  SharedSecret secret;
  WVDS_TRY(step("decapsulating", key.decapsulate(answers.valid.ciphertext, secret)));
  WVDS_TRY(expect(same(secret, answers.valid.secret), "it decapsulates to another shared secret"));
  WVDS_TRY(step("decapsulating a changed ciphertext", key.decapsulate(answers.changed.ciphertext, secret)));
  return expect(same(secret, answers.changed.secret), "its implicit rejection gives another secret");
}

// FIPS 203, section 7.2: coefficients of an encapsulation key are below the modulus.
Result<> check_modulus(const Library& library, const AlgorithmInfo& info) {
  const Octets no_key(info.public_key, std::byte{0xff});
  return expect(!MlKemPublicKey::import(library, info.algorithm, no_key),
                "it takes an encapsulation key that fails the modulus check of FIPS 203");
}

Result<> check_mlkem_generating(const Library& library, const Library& reference, Algorithm algorithm) {
  LockedBytes seed;
  WVDS_ASSIGN(made, step("generating a key and reading its seed", MlKemPrivateKey::generate(library, algorithm, seed)));
  WVDS_ASSIGN(expected, MlKemPrivateKey::from_seed(reference, algorithm, seed.expose()));
  return expect(std::ranges::equal(made->encapsulation_key(), expected->encapsulation_key()),
                "the seed of a key that it generates gives another key");
}

Result<> check_mlkem(const Library& library, const Library& reference, const AlgorithmInfo& info) {
  const Octets seed = known(info.secret);
  WVDS_ASSIGN(answers, mlkem_answers(reference, info, seed));
  {
    WVDS_ASSIGN(key, step("making a key from its seed", MlKemPrivateKey::from_seed(library, info.algorithm, seed)));
    WVDS_TRY(expect(std::ranges::equal(key->encapsulation_key(), answers.public_key),
                    "a known seed gives another public key than OpenSSL's implementation"));
    WVDS_TRY(check_encapsulating(*key, reference, info, seed));
    WVDS_TRY(check_decapsulating(*key, answers));
  }
  WVDS_ASSIGN(public_key,
              step("importing a public key", MlKemPublicKey::import(library, info.algorithm, answers.public_key)));
  WVDS_TRY(check_encapsulating(*public_key, reference, info, seed));
  WVDS_TRY(check_modulus(library, info));
  return check_mlkem_generating(library, reference, info.algorithm);
}

}  // namespace

Result<> check_algorithm(const Library& library, const Library& reference, Algorithm algorithm) {
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  return is_ml_dsa(algorithm) ? check_mldsa(library, reference, info) : check_mlkem(library, reference, info);
}

}  // namespace wvds::crypto
