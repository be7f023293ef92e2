#include "keystore/hsm/token_keys.h"

#include <algorithm>
#include <array>

#include "crypto/spki.h"

namespace wvds::keystore::hsm {
namespace {

using crypto::Library;
using crypto::MlDsaOptions;
using crypto::MlDsaPrivateKey;
using crypto::MlDsaPublicKey;
using crypto::MlKemPrivateKey;
using crypto::MlKemPublicKey;

constexpr size_t kMaxMessage = kMaxHelperMessage - 1024;

std::vector<std::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Clients learn of a token's failure as of one of cryptography: nothing is wrong with the store.
Result<Message> ask_token(TokenSession& session, Request request, const std::function<void(Message&)>& add_fields) {
  auto answer = session.ask(request, add_fields);
  if (answer || answer.error().status == Status::kUnsupported) return answer;
  return fail(Status::kCryptoError, answer.error().detail);
}

std::unexpected<Error> malformed() { return fail(Status::kCryptoError, "the PKCS#11 helper's answer is malformed"); }

class TokenMlDsa final : public MlDsaPrivateKey {
 public:
  TokenMlDsa(std::shared_ptr<TokenSession> session, Algorithm algorithm, Bytes id, Bytes public_key,
             std::unique_ptr<MlDsaPublicKey> verifier)
      : session_(std::move(session)),
        algorithm_(algorithm),
        id_(copy(id)),
        public_key_(copy(public_key)),
        verifier_(std::move(verifier)) {}

  Result<> verify(const MlDsaOptions& options, UntrustedBytes message, Bytes signature) const override {
    return verifier_->verify(options, message, signature);
  }
  Bytes public_key() const override { return public_key_; }

  Result<> sign(const MlDsaOptions& options, UntrustedBytes message, MutableBytes signature) const override {
    auto done = try_sign(options, message, signature);
    if (!done) crypto::wipe(signature);
    return done;
  }

 private:
  // The message is copied once: what the token signs is what is verified.
  Result<> try_sign(const MlDsaOptions& options, UntrustedBytes message, MutableBytes signature) const {
    if (options.external_mu) return fail(Status::kUnsupported, "a key inside a token signs no external mu");
    if (options.context.size() > kMaxContextSize) return fail(Status::kInvalidPayload, "the context is too long");
    if (message.size() > kMaxMessage) return fail(Status::kPayloadTooLarge);
    WipedBytes copied(message.size());
    message.copy_to(copied.expose_for_writing());
    WVDS_ASSIGN(answer, ask_token(*session_, Request::kSign, [&](Message& request) {
                  request.add_number(static_cast<uint64_t>(algorithm_));
                  request.add(id_);
                  request.add_number(options.deterministic ? 1 : 0);
                  request.add(options.context);
                  request.add(copied.expose());
                }));
    const auto made = answer.bytes(0, signature.size(), signature.size());
    if (!made) return malformed();
    const auto verified = verifier_->verify(options, UntrustedBytes(copied.expose()), *made);
    if (!verified) return fail(Status::kCryptoError, "the token made a signature that is not valid");
    copy_bytes(*made, signature);
    return {};
  }

  const std::shared_ptr<TokenSession> session_;
  const Algorithm algorithm_;
  const std::vector<std::byte> id_;
  const std::vector<std::byte> public_key_;
  const std::unique_ptr<MlDsaPublicKey> verifier_;
};

class TokenMlKem final : public MlKemPrivateKey {
 public:
  TokenMlKem(std::shared_ptr<TokenSession> session, Algorithm algorithm, Bytes id,
             std::unique_ptr<MlKemPublicKey> encapsulator)
      : session_(std::move(session)), algorithm_(algorithm), id_(copy(id)), encapsulator_(std::move(encapsulator)) {}

  Result<> encapsulate(MutableBytes ciphertext, SharedSecret& shared_secret) const override {
    return encapsulator_->encapsulate(ciphertext, shared_secret);
  }
  Bytes encapsulation_key() const override { return encapsulator_->encapsulation_key(); }

  Result<> decapsulate(Bytes ciphertext, SharedSecret& shared_secret) const override {
    crypto::wipe(shared_secret.expose_for_writing());
    if (ciphertext.size() != algorithm_info(algorithm_)->kem_ciphertext)
      return fail(Status::kInvalidPayload, "a ciphertext of another length than the algorithm's");
    WVDS_ASSIGN(answer, ask_token(*session_, Request::kDecapsulate, [&](Message& request) {
                  request.add_number(static_cast<uint64_t>(algorithm_));
                  request.add(id_);
                  request.add(ciphertext);
                }));
    const auto secret = answer.bytes(0, kSharedSecretSize, kSharedSecretSize);
    if (!secret) return malformed();
    copy_bytes(*secret, shared_secret.expose_for_writing());
    return {};
  }

 private:
  const std::shared_ptr<TokenSession> session_;
  const Algorithm algorithm_;
  const std::vector<std::byte> id_;
  const std::unique_ptr<MlKemPublicKey> encapsulator_;
};

class Keys final : public TokenKeys {
 public:
  explicit Keys(std::shared_ptr<TokenSession> session) : session_(std::move(session)) {}

  bool offers(Algorithm algorithm) const override {
    if (is_ml_dsa(algorithm)) return (session_->token_flags() & kOffersMlDsa) != 0;
    return is_ml_kem(algorithm) && (session_->token_flags() & kOffersMlKem) != 0;
  }

  Result<Made> generate(const Library& library, Algorithm algorithm, const std::string& label) override {
    Made out;
    out.id.resize(kTokenKeyIdSize);
    WVDS_TRY(library.random(out.id));
    WVDS_ASSIGN(answer, ask_token(*session_, Request::kMakeInside, [&](Message& request) {
                  request.add_number(static_cast<uint64_t>(algorithm));
                  request.add(out.id);
                  request.add_text(label);
                }));
    auto public_key = read_public_key(library, algorithm, answer);
    if (!public_key) {
      static_cast<void>(destroy(out.id).has_value());  // the first failure is worth more
      return fail(Status::kCryptoError, "the token's public key can't be used: " + public_key.error().detail);
    }
    out.public_key = std::move(*public_key);
    return out;
  }

  Result<std::unique_ptr<MlDsaPrivateKey>> mldsa(const Library& library, Algorithm algorithm, Bytes id,
                                                 Bytes public_key) override {
    WVDS_ASSIGN(verifier, MlDsaPublicKey::import(library, algorithm, public_key));
    return std::make_unique<TokenMlDsa>(session_, algorithm, id, public_key, std::move(verifier));
  }

  Result<std::unique_ptr<MlKemPrivateKey>> mlkem(const Library& library, Algorithm algorithm, Bytes id,
                                                 Bytes public_key) override {
    WVDS_ASSIGN(encapsulator, MlKemPublicKey::import(library, algorithm, public_key));
    return std::make_unique<TokenMlKem>(session_, algorithm, id, std::move(encapsulator));
  }

  Result<> destroy(Bytes id) override {
    WVDS_TRY(ask_token(*session_, Request::kDestroy, [&](Message& request) { request.add(id); }));
    return {};
  }

 private:
  // PKCS#11 3.2 has the key as FIPS encodes it; some tokens put a SubjectPublicKeyInfo around it.
  static Result<std::vector<std::byte>> read_public_key(const Library& library, Algorithm algorithm,
                                                        const Message& answer) {
    WVDS_ASSIGN(value, answer.bytes(0, 1, kMaxPublicKeyAnswer));
    std::vector<std::byte> raw = copy(value);
    if (raw.size() != algorithm_info(algorithm)->public_key) {
      WVDS_ASSIGN(taken, crypto::public_key_from_spki(library, algorithm, value));
      raw = std::move(taken);
    }
    if (is_ml_dsa(algorithm)) WVDS_TRY(MlDsaPublicKey::import(library, algorithm, raw));
    if (is_ml_kem(algorithm)) WVDS_TRY(MlKemPublicKey::import(library, algorithm, raw));
    return raw;
  }

  const std::shared_ptr<TokenSession> session_;
};

}  // namespace

std::shared_ptr<TokenKeys> make_token_keys(std::shared_ptr<TokenSession> session) {
  return std::make_shared<Keys>(std::move(session));
}

}  // namespace wvds::keystore::hsm
