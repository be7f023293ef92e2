#include "keystore/hsm/token_keys.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/spki.h"
#include "keystore/testing/test_library.h"

namespace wvds::keystore::hsm {
namespace {

using crypto::LockedBytes;
using crypto::MlDsaPrivateKey;
using crypto::MlKemPrivateKey;
using keystore::testing::library;

std::vector<std::byte> octets(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

// RFC 9881: SubjectPublicKeyInfo of ML-DSA-44 before the key
const std::vector<std::byte> kSpkiHead = octets({0x30, 0x82, 0x05, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                                 0x01, 0x65, 0x03, 0x04, 0x03, 0x11, 0x03, 0x82, 0x05, 0x21, 0x00});

std::vector<std::byte> joined(Bytes head, Bytes tail) {
  std::vector<std::byte> out(head.begin(), head.end());
  out.insert(out.end(), tail.begin(), tail.end());
  return out;
}

// What a test changes of the token below, and looks at
struct Behaviour {
  bool puts_spki_around = false;
  bool signs_something_else = false;
  size_t leaves_out = 0;  // bytes at the end of every answer's first field
  uint64_t flags = kOffersMlDsa | kOffersMlKem;
  size_t restarts = 0;
  bool loses_session = false;  // at the next request but open and login
  std::vector<Request> asked;
};

// SoftHelper answers as a helper with a token of one ML-DSA-44 and one ML-KEM-512 key would.
class SoftHelper final : public Helper {
 public:
  explicit SoftHelper(Behaviour& behaviour) : behaviour_(behaviour) {}

  Result<> restart() override {
    ++behaviour_.restarts;
    return {};
  }

  Result<WipedBytes> exchange(Bytes packet) override {
    const Message request = Message::decode(packet).value();
    const auto kind = static_cast<Request>(request.kind);
    behaviour_.asked.push_back(kind);
    if (kind != Request::kOpen && kind != Request::kLogin && std::exchange(behaviour_.loses_session, false)) {
      Message lost{static_cast<uint8_t>(Fault::kSessionLost), {}};
      lost.add_text("lost");
      return lost.encode();
    }
    Message answer = answer_to(kind, request);
    if (behaviour_.leaves_out != 0 && kind != Request::kOpen && !answer.fields.empty())
      answer.fields[0].shrink(answer.fields[0].size() - behaviour_.leaves_out);
    return answer.encode();
  }

 private:
  Message answer_to(Request kind, const Message& request) {
    Message out{static_cast<uint8_t>(Fault::kNone), {}};
    if (kind == Request::kOpen) {
      for (const char* text : {"gateway", "1", "maker", "model"}) out.add_text(text);
      out.add_number(0);
      out.add_number(behaviour_.flags);
    } else if (kind == Request::kMakeInside) {
      make(static_cast<Algorithm>(request.number(0).value()), out);
    } else if (kind == Request::kSign) {
      std::vector<std::byte> signature(algorithm_info(Algorithm::kMlDsa44)->signature);
      const Bytes message = behaviour_.signs_something_else ? as_bytes("else") : request.bytes(4, 0, 1 << 17).value();
      EXPECT_TRUE(signer_->sign({.context = request.bytes(3, 0, 255).value()}, UntrustedBytes(message), signature));
      out.add(signature);
    } else if (kind == Request::kDecapsulate) {
      SharedSecret secret;
      EXPECT_TRUE(decapsulator_->decapsulate(request.bytes(2, 1, 4096).value(), secret));
      out.add(secret.expose());
    }
    return out;
  }

  void make(Algorithm algorithm, Message& out) {
    LockedBytes seed;
    if (is_ml_dsa(algorithm)) {
      signer_ = std::move(*MlDsaPrivateKey::generate(library(), algorithm, seed));
      const Bytes key = signer_->public_key();
      out.add(behaviour_.puts_spki_around ? joined(kSpkiHead, key) : joined({}, key));
    } else {
      decapsulator_ = std::move(*MlKemPrivateKey::generate(library(), algorithm, seed));
      out.add(decapsulator_->encapsulation_key());
    }
  }

  Behaviour& behaviour_;
  std::unique_ptr<MlDsaPrivateKey> signer_;
  std::unique_ptr<MlKemPrivateKey> decapsulator_;
};

class FixedPin final : public PinSource {
 public:
  Result<LockedBytes> read() override { return LockedBytes::copy_of(as_bytes("1234")); }
};

class KeysInToken : public ::testing::Test {
 protected:
  Result<std::vector<std::byte>> sign(const crypto::MlDsaOptions& options = {}) {
    WVDS_ASSIGN(made, keys_->generate(library(), Algorithm::kMlDsa44, "label"));
    WVDS_ASSIGN(key, keys_->mldsa(library(), Algorithm::kMlDsa44, made.id, made.public_key));
    std::vector<std::byte> signature(algorithm_info(Algorithm::kMlDsa44)->signature, std::byte{0xee});
    auto done = key->sign(options, UntrustedBytes(as_bytes("message")), signature);
    if (!done) {
      EXPECT_TRUE(std::ranges::all_of(signature, [](std::byte byte) { return byte == std::byte{0}; })) << "wiped";
      return std::unexpected(done.error());
    }
    WVDS_TRY(key->verify(options, UntrustedBytes(as_bytes("message")), signature));
    return signature;
  }

  size_t asked(Request request) { return static_cast<size_t>(std::ranges::count(behaviour_.asked, request)); }

  Behaviour behaviour_;
  std::shared_ptr<TokenSession> session_ =
      std::make_shared<TokenSession>(SessionSettings{"/module.so", *parse_token("gateway")},
                                     std::make_unique<FixedPin>(), std::make_unique<SoftHelper>(behaviour_));
  std::shared_ptr<TokenKeys> keys_ = make_token_keys(session_);
};

TEST_F(KeysInToken, Sign) {
  EXPECT_TRUE(sign().has_value());
  EXPECT_TRUE(sign({.context = as_bytes("context")}).has_value());
}

TEST_F(KeysInToken, TakeAPublicKeyAlsoOutOfASpki) {
  behaviour_.puts_spki_around = true;
  EXPECT_TRUE(sign().has_value());
}

TEST_F(KeysInToken, NeverHandOutASignatureThatIsNotValid) {
  behaviour_.signs_something_else = true;
  const auto signature = sign();
  ASSERT_FALSE(signature.has_value());
  EXPECT_EQ(signature.error().status, Status::kCryptoError);
  EXPECT_NE(signature.error().detail.find("not valid"), std::string::npos);
}

TEST_F(KeysInToken, SignNoExternalMu) {
  EXPECT_EQ(sign({.context = {}, .external_mu = true}).error().status, Status::kUnsupported);
  EXPECT_EQ(asked(Request::kSign), 0u);
}

TEST_F(KeysInToken, Decapsulate) {
  const auto made = keys_->generate(library(), Algorithm::kMlKem512, "label").value();
  const auto key = keys_->mlkem(library(), Algorithm::kMlKem512, made.id, made.public_key).value();
  std::vector<std::byte> ciphertext(algorithm_info(Algorithm::kMlKem512)->kem_ciphertext);
  SharedSecret sent, received;
  ASSERT_TRUE(key->encapsulate(ciphertext, sent).has_value());
  ASSERT_TRUE(key->decapsulate(ciphertext, received).has_value());
  EXPECT_TRUE(std::ranges::equal(sent.expose(), received.expose()));
  EXPECT_EQ(key->decapsulate(Bytes(ciphertext).first(9), received).error().status, Status::kInvalidPayload);
  behaviour_.leaves_out = 1;
  EXPECT_EQ(key->decapsulate(ciphertext, received).error().status, Status::kCryptoError);
}

TEST_F(KeysInToken, AreDestroyedAgainWhereThePublicKeyIsNone) {
  behaviour_.leaves_out = 1;
  EXPECT_EQ(keys_->generate(library(), Algorithm::kMlDsa44, "label").error().status, Status::kCryptoError);
  EXPECT_EQ(asked(Request::kDestroy), 1u);
}

TEST_F(KeysInToken, SurviveALostSession) {
  ASSERT_TRUE(session_->open().has_value());
  behaviour_.loses_session = true;
  EXPECT_TRUE(sign().has_value());
  EXPECT_EQ(behaviour_.restarts, 2u);
}

TEST_F(KeysInToken, AreOfferedAsTheTokenSays) {
  EXPECT_FALSE(keys_->offers(Algorithm::kMlDsa44)) << "not opened yet";
  behaviour_.flags = kOffersMlKem;
  ASSERT_TRUE(session_->open().has_value());
  EXPECT_FALSE(keys_->offers(Algorithm::kMlDsa44));
  EXPECT_TRUE(keys_->offers(Algorithm::kMlKem1024));
  EXPECT_FALSE(keys_->offers(Algorithm::kAes256Gcm));
}

TEST(PublicKeyFromSpki, IsOnlyOneOfTheAlgorithm) {
  LockedBytes seed;
  const auto key = MlDsaPrivateKey::generate(library(), Algorithm::kMlDsa44, seed).value();
  const Bytes raw = key->public_key();
  std::vector<std::byte> spki = joined(kSpkiHead, raw);
  EXPECT_TRUE(std::ranges::equal(crypto::public_key_from_spki(library(), Algorithm::kMlDsa44, spki).value(), raw));
  const auto status = [](Algorithm algorithm, Bytes der) {
    return crypto::public_key_from_spki(library(), algorithm, der).error().status;
  };
  EXPECT_EQ(status(Algorithm::kMlDsa65, spki), Status::kInvalidPayload);
  EXPECT_EQ(status(Algorithm::kMlKem512, spki), Status::kInvalidPayload);
  EXPECT_EQ(status(Algorithm::kMlDsa44, Bytes(spki).first(spki.size() - 1)), Status::kInvalidPayload);
  EXPECT_EQ(status(Algorithm::kMlDsa44, raw), Status::kInvalidPayload);
  EXPECT_EQ(status(Algorithm::kAes256Gcm, spki), Status::kWrongKeyType);
  spki.push_back(std::byte{0});
  EXPECT_EQ(status(Algorithm::kMlDsa44, spki), Status::kInvalidPayload) << "something after it";
}

}  // namespace
}  // namespace wvds::keystore::hsm
