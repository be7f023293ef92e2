// A client that changes its request while the service reads it: every answer must be the right one for some single
// state of the request. Run with the processor as it is, and with VAES and AVX hidden from OpenSSL, which then reads
// inputs and outputs in other ways.
#include <gtest/gtest.h>

#include <set>

#include "protocol/aes_messages.h"
#include "protocol/key_messages.h"
#include "protocol/mldsa_messages.h"
#include "protocol/mlkem_messages.h"
#include "service/busy_bystander.h"
#include "service/hostile_session.h"

namespace wvds::test {
namespace {

using protocol::Operation;

// CPUID leaf 1, ECX bit 28 (AVX); leaf 7, EBX bits 5, 16 (AVX2, AVX512F), ECX bits 9, 10 (VAES, VPCLMULQDQ).
constexpr const char* kNoVectorAes = "OPENSSL_ia32cap=~0x1000000000000000:~0x60000010020";

class HostileRace : public testing::TestWithParam<bool> {
 protected:
  static DaemonOptions options() {
    DaemonOptions options;
    if (GetParam()) options.environment = {kNoVectorAes};
    return options;
  }
  void SetUp() override {
    ASSERT_TRUE(daemon_.start());
    bystander_.emplace(daemon_);
    ASSERT_TRUE(bystander_->serves(1));
    hostile_.emplace(daemon_);
    ASSERT_TRUE(hostile_->ready());
  }
  void TearDown() override {
    if (!bystander_) return;
    EXPECT_TRUE(bystander_->serves(20));
    EXPECT_TRUE(bystander_->finish()) << "all the time";
  }

  uint32_t generate(Algorithm algorithm, Usages usages = 0, uint8_t flags = 0) {
    protocol::KeyGenerateRequest request;
    request.key = {algorithm, Lifetime::kSession, usages, flags, ""};
    Octets payload(64);
    const auto size = request.encode(payload);
    EXPECT_TRUE(size.has_value());
    payload.resize(size.value_or(0));
    const HostileAnswer answer = hostile_->call(frame_of(Operation::kKeyGenerate, payload));
    const auto created = protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload));
    EXPECT_TRUE(created.has_value());
    return created ? created->key_id : 0;
  }

  Octets aes_frame(Operation operation, uint32_t key, Bytes rest) {
    Octets head(protocol::kAesRequestFixedSize);
    EXPECT_TRUE(protocol::encode_aes_request_head(key, 0, head).has_value());
    return frame_of(operation, joined({head, rest}));
  }

  // race sends `frame` again and again while the byte at `offset` flips one bit, and shows each answer to `judge`,
  // until that has seen both states (it returns true then) some times over.
  template <class Judge>
  void race(const Octets& frame, size_t offset, int least, Judge judge) {
    hostile_->fill(0, frame);
    const Flipper flipper(hostile_->request_area(0) + offset, frame[offset], frame[offset] ^ std::byte{1});
    int rounds = 0;
    const auto next = [&] {
      hostile_->submit(0);
      const auto answer = hostile_->await(0);
      EXPECT_TRUE(answer.has_value());
      ++rounds;
      return (answer && judge(*answer) && rounds >= least) || HasFailure();
    };
    EXPECT_TRUE(reached(next)) << "both states were not seen";
  }

  Daemon daemon_{options()};
  std::optional<BusyBystander> bystander_;
  std::optional<HostileSession> hostile_;
};

INSTANTIATE_TEST_SUITE_P(Processor, HostileRace, testing::Bool(),
                         [](const auto& test) { return test.param ? "WithoutVectorAes" : "AsItIs"; });

TEST_P(HostileRace, DecryptionNeverReleasesWhatWasNotAuthenticated) {
  const uint32_t key = generate(Algorithm::kAes256Gcm, 0, protocol::kKeyFlagReplayWindowOff);
  const Octets plaintext(60'000, std::byte{0x5a});
  const Octets sealed = hostile_->call(aes_frame(Operation::kAesEncrypt, key, plaintext)).payload;
  ASSERT_EQ(sealed.size(), plaintext.size() + kNonceSize + kTagSize);
  size_t opened = 0;
  size_t refused = 0;
  for (const size_t place : {size_t{20}, plaintext.size() / 2, plaintext.size()}) {
    opened = refused = 0;
    race(aes_frame(Operation::kAesDecrypt, key, sealed),
         protocol::kFrameHeaderSize + protocol::kAesRequestFixedSize + place, 300, [&](const HostileAnswer& answer) {
           if (answer.status == Status::kSuccess) {
             ++opened;
             EXPECT_EQ(answer.payload, plaintext);
           } else {
             ++refused;
             EXPECT_EQ(answer.status, Status::kDecryptionFailed);
             EXPECT_TRUE(answer.payload.empty());
           }
           return opened > 0 && refused > 0;
         });
  }
}

TEST_P(HostileRace, EncryptionUsesEachNonceOnce) {
  const uint32_t key = generate(Algorithm::kAes256Gcm);
  const Octets plaintext(60'000, std::byte{0x5a});
  std::set<Octets> nonces;
  const size_t before_text = protocol::kFrameHeaderSize + protocol::kAesRequestFixedSize;
  race(aes_frame(Operation::kAesEncrypt, key, plaintext), before_text + plaintext.size() / 2, 300,
       [&](const HostileAnswer& answer) {
         EXPECT_EQ(answer.status, Status::kSuccess);
         EXPECT_EQ(answer.payload.size(), plaintext.size() + kNonceSize + kTagSize);
         EXPECT_TRUE(nonces.emplace(answer.payload.begin(), answer.payload.begin() + kNonceSize).second);
         return true;
       });
}

TEST_P(HostileRace, LengthsAreReadOnce) {
  const uint32_t key = generate(Algorithm::kAes256Gcm);
  const Octets frame = aes_frame(Operation::kAesEncrypt, key, Octets(1000));
  const size_t high_byte_of_length = 6;  // of the payload: 1,006 bytes or 65,536 more
  size_t good = 0;
  size_t too_large = 0;
  race(frame, high_byte_of_length, 5000, [&](const HostileAnswer& answer) {
    if (answer.status == Status::kSuccess) {
      ++good;
      EXPECT_EQ(answer.payload.size(), 1000 + kNonceSize + kTagSize);
    } else {
      ++too_large;
      EXPECT_EQ(answer.status, Status::kPayloadTooLarge);
    }
    return good > 0 && too_large > 0;
  });
}

TEST_P(HostileRace, AMuIsSignedAsOneOrTheOther) {
  const uint32_t key = generate(Algorithm::kMlDsa65, Usage::kSignMu | Usage::kVerify);
  Octets head(protocol::kMlDsaSignFixedSize);
  constexpr uint8_t kFlags = protocol::kMlDsaExternalMu | protocol::kMlDsaDeterministic;
  ASSERT_TRUE(protocol::encode_mldsa_sign_head(key, kFlags, {}, head).has_value());
  const Octets one = frame_of(Operation::kMlDsaSign, joined({head, Octets(kMuSize)}));
  Octets other = one;
  other.back() ^= std::byte{1};
  const Octets of_one = hostile_->call(one).payload;
  const Octets of_other = hostile_->call(other).payload;
  ASSERT_NE(of_one, of_other);
  size_t ones = 0;
  size_t others = 0;
  race(one, one.size() - 1, 300, [&](const HostileAnswer& answer) {
    EXPECT_TRUE(answer.payload == of_one || answer.payload == of_other) << "a signature of neither gives the key away";
    ++(answer.payload == of_one ? ones : others);
    return ones > 0 && others > 0;
  });
}

TEST_P(HostileRace, ACiphertextIsDecapsulatedAsOneOrTheOther) {
  const uint32_t key = generate(Algorithm::kMlKem768, Usage::kEncapsulate | Usage::kDecapsRaw);
  Octets request(8);
  ASSERT_TRUE(protocol::encode_mlkem_encaps_request(key, Algorithm::kNone, {}, request).has_value());
  const HostileAnswer made = hostile_->call(frame_of(Operation::kMlKemEncaps, request));
  Octets decaps(4 + 1088);
  ASSERT_TRUE(
      protocol::encode_mlkem_decaps_request(key, Bytes(made.payload).subspan(kSharedSecretSize), decaps).has_value());
  const Octets one = frame_of(Operation::kMlKemDecaps, decaps);
  Octets other = one;
  other.back() ^= std::byte{1};
  const Octets of_one = hostile_->call(one).payload;
  const Octets of_other = hostile_->call(other).payload;
  ASSERT_NE(of_one, of_other);
  size_t ones = 0;
  size_t others = 0;
  race(one, one.size() - 1, 5000, [&](const HostileAnswer& answer) {
    EXPECT_TRUE(answer.payload == of_one || answer.payload == of_other);
    ++(answer.payload == of_one ? ones : others);
    return ones > 0 && others > 0;
  });
}

}  // namespace
}  // namespace wvds::test
