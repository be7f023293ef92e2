#include "service/service_handlers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/service_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

class ServiceRequests : public ::testing::Test {
 protected:
  Answer random(uint32_t length) {
    Buffer payload(4);
    Writer(payload).u32(length);
    return session_.call(Operation::kRandom, payload);
  }
  protocol::StatusAnswer status() {
    const Answer answer = session_.call(Operation::kStatus, {});
    EXPECT_EQ(answer.status, Status::kSuccess);
    auto decoded = protocol::StatusAnswer::decode(UntrustedBytes(answer.payload));
    return decoded ? *decoded : protocol::StatusAnswer{};
  }

  Harness harness_;
  TestSession session_ = harness_.open();
};

TEST_F(ServiceRequests, GiveRandomBytes) {
  const Answer one = random(32);
  EXPECT_EQ(one.status, Status::kSuccess);
  EXPECT_EQ(one.payload.size(), 32u);
  EXPECT_NE(one.payload, random(32).payload);
  EXPECT_EQ(random(65'536).payload.size(), 65'536u);
}

TEST_F(ServiceRequests, GiveNoRandomBytesAndNotTooMany) {
  EXPECT_EQ(random(0).status, Status::kInvalidPayload);
  EXPECT_EQ(random(65'537).status, Status::kInvalidPayload);
}

TEST_F(ServiceRequests, TellTheStatus) {
  session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
  harness_.clock().advance(std::chrono::milliseconds(1234));
  const protocol::StatusAnswer now = status();
  EXPECT_EQ(now.fips_mode, protocol::FipsMode::kRequired);
  EXPECT_EQ(now.fips_state, protocol::FipsState::kActive);
  EXPECT_EQ(now.epoch, harness_.service().state().epoch);
  EXPECT_EQ(now.uptime_ms, 1234u);
  EXPECT_EQ(now.sessions, 1u);
  EXPECT_EQ(now.session_limit, 64u);
  EXPECT_EQ(now.persistent_keys, 1u);
  EXPECT_EQ(now.memory_keys, 1u);
  EXPECT_FALSE(now.service_version.empty());
  EXPECT_NE(now.library_version.find("OpenSSL"), std::string::npos);
  EXPECT_NE(now.provider.find("FIPS"), std::string::npos);
}

TEST_F(ServiceRequests, WarnOfKeysThatAreNearlyUsedUp) {
  config::ServiceConfig config = test_config();
  config.keys.use_limit = 100;
  Harness harness(config);
  TestSession session = harness.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  for (int i = 0; i < 80; ++i) ASSERT_EQ(session.encrypt(key, "x").status, Status::kSuccess);
  const std::vector<std::string> warnings = service_warnings(harness.service().state());
  EXPECT_TRUE(std::ranges::any_of(
      warnings, [&](const std::string& warning) { return warning.find(std::to_string(key)) != std::string::npos; }));
}

// Every algorithm behind the operations comes from the FIPS provider, by OpenSSL's own account.
TEST(FipsRequired, TakesEveryAlgorithmFromTheFipsProvider) {
  for (const char* name :
       {"AES-256-GCM", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "HKDF",
        "PBKDF2", "SHA2-256", "CTR-DRBG", "ECDSA-SHA2-256", "ECDSA-SHA2-384", "ECDSA-SHA2-512"}) {
    EXPECT_EQ(Harness::library().provider_of(name), "fips") << name;
  }
}

}  // namespace
}  // namespace wvds::service::testing
