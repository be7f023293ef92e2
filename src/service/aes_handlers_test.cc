#include "service/aes_handlers.h"

#include <gtest/gtest.h>

#include <thread>

#include "protocol/aes_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

class Aes : public ::testing::Test {
 protected:
  Buffer sealed(TestSession& session, std::string_view plaintext, std::string_view aad = {}) {
    const Answer answer = session.encrypt(key_, plaintext, aad);
    EXPECT_EQ(answer.status, Status::kSuccess);
    return answer.payload;
  }

  Harness harness_;
  TestSession session_ = harness_.open();
  uint32_t key_ = session_.generate(Algorithm::kAes256Gcm);
};

TEST_F(Aes, OpensWhatItSealed) {
  const Buffer text = sealed(session_, "plaintext", "header");
  EXPECT_EQ(text.size(), kNonceSize + 9 + kTagSize);
  const Answer opened = session_.decrypt(key_, text, "header");
  EXPECT_EQ(opened.status, Status::kSuccess);
  EXPECT_EQ(text_of(opened.payload), "plaintext");
}

TEST_F(Aes, OpensAnEmptyText) {
  const Answer opened = session_.decrypt(key_, sealed(session_, ""));
  EXPECT_EQ(opened.status, Status::kSuccess);
  EXPECT_TRUE(opened.payload.empty());
}

TEST_F(Aes, MakesEveryNonceItself) { EXPECT_NE(Buffer(sealed(session_, "a")), sealed(session_, "a")); }

TEST_F(Aes, TakesAPayloadOf65536BytesAndNotOneMore) {
  const size_t largest = protocol::kMaxRequestPayload - protocol::kAesRequestFixedSize;
  const Answer whole = session_.encrypt(key_, std::string(largest, 'x'));
  EXPECT_EQ(whole.status, Status::kSuccess);
  EXPECT_EQ(whole.payload.size(), largest + kNonceSize + kTagSize);
  EXPECT_EQ(session_.encrypt(key_, std::string(largest + 1, 'x')).status, Status::kPayloadTooLarge);
}

TEST_F(Aes, OpensThePayloadThatFillsARequest) {
  const std::string plaintext(protocol::kMaxRequestPayload - protocol::kAesRequestFixedSize - kNonceSize - kTagSize,
                              'y');
  const Answer opened = session_.decrypt(key_, sealed(session_, plaintext));
  EXPECT_EQ(opened.status, Status::kSuccess);
  EXPECT_EQ(text_of(opened.payload), plaintext);
}

TEST_F(Aes, RefusesAnAadLongerThanThePayload) {
  Buffer payload(protocol::kAesRequestFixedSize + 10);
  ASSERT_TRUE(protocol::encode_aes_request_head(key_, 11, payload).has_value());
  EXPECT_EQ(session_.call(Operation::kAesEncrypt, payload).status, Status::kInvalidPayload);
  EXPECT_EQ(session_.call(Operation::kAesDecrypt, payload).status, Status::kInvalidPayload);
}

TEST_F(Aes, RefusesToOpenWhatIsShorterThanNonceAndTag) {
  EXPECT_EQ(session_.decrypt(key_, Buffer(kNonceSize + kTagSize - 1)).status, Status::kInvalidPayload);
}

TEST_F(Aes, RefusesEveryFlippedBit) {
  const Buffer good = sealed(session_, "four", "aad");
  for (size_t i = 0; i < good.size() * 8; ++i) {
    Buffer bad = good;
    bad[i / 8] ^= std::byte{1} << (i % 8);
    const Answer answer = session_.decrypt(key_, bad, "aad");
    ASSERT_EQ(answer.status, Status::kDecryptionFailed) << "bit " << i;
    ASSERT_TRUE(answer.payload.empty());
  }
  EXPECT_EQ(session_.decrypt(key_, good, "AAD").status, Status::kDecryptionFailed);
  EXPECT_EQ(session_.decrypt(key_, good, "aad").status, Status::kSuccess) << "failures did not use the nonce up";
}

TEST_F(Aes, RefusesARepeatedNonce) {
  const Buffer text = sealed(session_, "once");
  ASSERT_EQ(session_.decrypt(key_, text).status, Status::kSuccess);
  const Answer again = session_.decrypt(key_, text);
  EXPECT_EQ(again.status, Status::kNonceReuse);
  EXPECT_TRUE(again.payload.empty());
}

TEST_F(Aes, RefusesARepeatedNonceInAnotherSession) {
  const Buffer text = sealed(session_, "once");
  TestSession other = harness_.open();
  ASSERT_EQ(other.decrypt(key_, text).status, Status::kSuccess);
  EXPECT_EQ(session_.decrypt(key_, text).status, Status::kNonceReuse);
}

TEST_F(Aes, LetsExactlyOneOfTwoSessionsOpenAText) {
  TestSession other = harness_.open();
  for (int round = 0; round < 200; ++round) {
    const Buffer text = sealed(session_, "once");
    std::atomic<int> ready{0};
    const auto race = [&](TestSession& session, Status& status) {
      ++ready;
      while (ready < 2) std::this_thread::yield();
      status = session.decrypt(key_, text).status;
    };
    Status first{};
    Status second{};
    std::thread thread([&] { race(other, second); });
    race(session_, first);
    thread.join();
    ASSERT_TRUE((first == Status::kSuccess && second == Status::kNonceReuse) ||
                (second == Status::kSuccess && first == Status::kNonceReuse))
        << status_name(first) << " " << status_name(second);
  }
}

TEST_F(Aes, OpensTwiceWhereTheKeyHasNoWindow) {
  key_ = session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile, protocol::kKeyFlagReplayWindowOff);
  const Buffer text = sealed(session_, "at rest");
  EXPECT_EQ(session_.decrypt(key_, text).status, Status::kSuccess);
  EXPECT_EQ(session_.decrypt(key_, text).status, Status::kSuccess);
}

TEST_F(Aes, RefusesAnUnknownKey) {
  EXPECT_EQ(session_.encrypt(key_ + 1000, "x").status, Status::kKeyNotFound);
  EXPECT_EQ(session_.encrypt(0, "x").status, Status::kKeyNotFound);
  EXPECT_EQ(session_.decrypt(key_ + 1000, Buffer(28)).status, Status::kKeyNotFound);
}

TEST_F(Aes, HidesAnotherClientsKey) {
  TestSession backend = harness_.open(kBackend);
  EXPECT_EQ(backend.encrypt(key_, "x").status, Status::kKeyNotFound);
  EXPECT_EQ(backend.decrypt(key_, sealed(session_, "x")).status, Status::kKeyNotFound);
}

TEST_F(Aes, RefusesAKeyOfAnotherType) {
  const uint32_t signing = session_.generate(Algorithm::kMlDsa44);
  EXPECT_EQ(session_.encrypt(signing, "x").status, Status::kWrongKeyType);
  EXPECT_EQ(session_.decrypt(signing, Buffer(28)).status, Status::kWrongKeyType);
}

TEST_F(Aes, RefusesAKeyMadeForAnotherUse) {
  const uint32_t only_encrypts = session_.generate(Algorithm::kAes256Gcm, static_cast<Usages>(Usage::kEncrypt));
  const uint32_t only_decrypts = session_.generate(Algorithm::kAes256Gcm, static_cast<Usages>(Usage::kDecrypt));
  EXPECT_EQ(session_.decrypt(only_encrypts, Buffer(28)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(session_.encrypt(only_decrypts, "x").status, Status::kWrongKeyUsage);
}

TEST_F(Aes, RefusesAKeyThatIsUsedUp) {
  config::ServiceConfig config = test_config();
  config.keys.use_limit = 3;
  Harness harness(config);
  TestSession session = harness.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(session.encrypt(key, "x").status, Status::kSuccess);
  const Answer refused = session.encrypt(key, "x");
  EXPECT_EQ(refused.status, Status::kKeyUsedUp);
  EXPECT_TRUE(refused.payload.empty());
  ASSERT_EQ(session.key_request(Operation::kKeyRotate, key).status, Status::kSuccess);
  EXPECT_EQ(session.encrypt(key, "x").status, Status::kSuccess) << "the new version has uses of its own";
}

TEST_F(Aes, TakesWhatIsDeterminedByConfigForItsNonces) {
  config::ServiceConfig config = test_config();
  config.nonces = config::Nonces::kRandom;
  Harness harness(config);
  TestSession session = harness.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  const auto fixed_part = [](const Answer& answer) {
    return Buffer(answer.payload.begin(), answer.payload.begin() + 4);
  };
  EXPECT_NE(fixed_part(session.encrypt(key, "x")), fixed_part(session.encrypt(key, "x"))) << "random";
  EXPECT_EQ(fixed_part(session_.encrypt(key_, "x")), fixed_part(session_.encrypt(key_, "x"))) << "counter";
}

TEST_F(Aes, GivesEachWorkerNoncesOfItsOwn) {
  TestSession other = harness_.open();
  const auto fixed_part = [](const Buffer& text) { return Buffer(text.begin(), text.begin() + 12); };
  EXPECT_NE(fixed_part(sealed(session_, "x")), fixed_part(sealed(other, "x")));
}

TEST_F(Aes, SaysWhenTheWindowMayNotGrow) {
  config::ServiceConfig config = test_config();
  config.clients[0].limits.window_bytes = 1;
  Harness harness(config);
  TestSession session = harness.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  const Answer text = session.encrypt(key, "x");
  const Answer opened = session.decrypt(key, text.payload);
  EXPECT_EQ(opened.status, Status::kLimitReached);
  EXPECT_TRUE(opened.payload.empty());
}

}  // namespace
}  // namespace wvds::service::testing
