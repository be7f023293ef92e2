// A module and a token that fail, each in its way: a clear error, and the next call works again.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "keystore/hsm/hsm_protector.h"
#include "keystore/hsm/testing/soft_token.h"
#include "keystore/testing/test_library.h"
#include "platform/clock.h"

namespace wvds::keystore::hsm {
namespace {

using keystore::testing::library;
using testing::SoftTokens;

class HsmFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = testing::why_no_soft_token(); !why.empty()) GTEST_SKIP() << why;
    tokens_ = std::make_unique<SoftTokens>();
    tokens_->add("gateway");
    tokens_->order("");
    ASSERT_TRUE(fresh()->create(library(), header_).has_value());
  }

  std::unique_ptr<Protector> fresh(std::chrono::milliseconds deadline = std::chrono::seconds(60)) {
    return make_hsm_protector(tokens_->session("gateway", testing::kPin, SoftTokens::faulty_module(), deadline),
                              "store key");
  }

  // unlock's failure under those orders; empty when it succeeds.
  std::string failure(Protector& protector, const std::string& orders) {
    tokens_->order(orders);
    const auto key = protector.unlock(library(), header_);
    if (key) return {};
    EXPECT_TRUE(key.error().status == Status::kStorageError || key.error().status == Status::kUnsupported);
    return key.error().detail;
  }

  std::string failure(const std::string& orders) { return failure(*fresh(), orders); }

  std::string failure_to_create(const std::string& orders) {
    tokens_->order(orders);
    std::vector<std::byte> header;
    const auto key = fresh()->create(library(), header);
    return key ? "" : key.error().detail;
  }

  void expect_works(Protector& protector) { EXPECT_EQ(failure(protector, ""), ""); }

  std::unique_ptr<SoftTokens> tokens_;
  std::vector<std::byte> header_;
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(HsmFaults, SurvivesAModuleThatCrashes) {
  const auto protector = fresh();
  for (int round = 0; round < 3; ++round) {
    const std::string why = failure(*protector, "C_UnwrapKey crash");
    EXPECT_SAYS(why, "the module crashed");
    expect_works(*protector);
  }
}

TEST_F(HsmFaults, SurvivesAModuleThatHangs) {
  const auto protector = fresh(std::chrono::seconds(3));
  const std::string why = failure(*protector, "C_UnwrapKey hang");
  EXPECT_SAYS(why, "did not answer within 3 seconds");
  const auto watchdog = platform::monotonic_now() + std::chrono::seconds(60);
  while (failure(*protector, "") != "") ASSERT_LT(platform::monotonic_now(), watchdog);  // a loaded machine is slow too
}

TEST_F(HsmFaults, SurvivesAModuleThatCrashesWhileItIsLoaded) {
  const auto protector = fresh();
  EXPECT_SAYS(failure(*protector, "C_GetFunctionList crash"), "crashed");
  EXPECT_SAYS(failure(*protector, "C_Initialize crash"), "crashed");
  expect_works(*protector);
}

TEST_F(HsmFaults, OpensALostSessionAgainOnce) {
  const auto protector = fresh();
  expect_works(*protector);
  EXPECT_EQ(failure(*protector, "C_UnwrapKey 0xb3 once"), "") << "CKR_SESSION_HANDLE_INVALID";
  EXPECT_EQ(failure(*protector, "C_FindObjectsInit 0x101 once"), "") << "CKR_USER_NOT_LOGGED_IN";
  EXPECT_SAYS(failure(*protector, "C_UnwrapKey 0x32"), "CKR_DEVICE_REMOVED");
  expect_works(*protector);
}

TEST_F(HsmFaults, SaysThatTheTokenWasTakenOut) {
  const auto protector = fresh();
  expect_works(*protector);
  const std::string why = failure(*protector, "C_UnwrapKey 0xe0\nC_GetSlotList none");
  EXPECT_SAYS(why, "no token with label \"gateway\" is present");
  expect_works(*protector);
}

TEST_F(HsmFaults, NeverTriesAPinAgainWhoseTrialHadNoAnswer) {
  const auto protector = fresh();
  EXPECT_SAYS(failure(*protector, "C_Login crash"), "crashed");
  EXPECT_SAYS(failure(*protector, ""), "not tried again");
}

TEST_F(HsmFaults, TriesAPinAgainThatWasRightBefore) {
  const auto protector = fresh();
  expect_works(*protector);
  EXPECT_SAYS(failure(*protector, "C_UnwrapKey crash\nC_Login crash"), "crashed");
  EXPECT_SAYS(failure(*protector, "C_Login crash"), "crashed");
  expect_works(*protector);
}

TEST_F(HsmFaults, TriesAPinAgainWhereTheTokenDidNotLookAtIt) {
  const auto protector = fresh();
  EXPECT_SAYS(failure(*protector, "C_Login 0x30"), "CKR_DEVICE_ERROR");
  expect_works(*protector);
}

TEST_F(HsmFaults, SaysThatThePinIsLocked) {
  EXPECT_SAYS(failure("C_Login 0xa4"), "PIN is locked");
  EXPECT_SAYS(failure("C_GetTokenInfo locked\nC_Login crash"), "is locked");
  EXPECT_SAYS(failure("C_Login 0xa2"), "does not take this PIN");
}

TEST_F(HsmFaults, NeverUsesUpTheLastTry) {
  EXPECT_SAYS(failure("C_GetTokenInfo final-try\nC_Login crash"), "would be locked by one more wrong PIN");
}

TEST_F(HsmFaults, SaysThatTheKeyIsGoneOrThereTwice) {
  EXPECT_SAYS(failure("C_FindObjects none"), "is not in the token");
  EXPECT_SAYS(failure("C_FindObjects twice"), "is 2 times in the token");
  EXPECT_SAYS(failure_to_create("C_FindObjects twice"), "2 times");
}

TEST_F(HsmFaults, SaysThatTheMechanismIsNotOffered) {
  EXPECT_SAYS(failure("C_GetMechanismInfo no-wrap"), "does not offer the AES key wrapping");
  EXPECT_SAYS(failure_to_create("C_GetMechanismInfo no-wrap"), "CKM_AES_KEY_WRAP_KWP");
}

TEST_F(HsmFaults, RefusesAKeyThatTheTokenDoesNotProtect) {
  EXPECT_SAYS(failure_to_create("C_GetAttributeValue extractable"), "never extractable");
  EXPECT_SAYS(failure_to_create("C_GetAttributeValue readable"), "can be read out");
}

TEST_F(HsmFaults, NoticesATokenThatWrapsWhatCanNotBeExtracted) {
  const auto finding = [&](const std::string& orders) {
    tokens_->order(orders);
    const auto session = tokens_->session("gateway", testing::kPin, SoftTokens::faulty_module());
    const auto answer = session->ask(Request::kUseKey, [](Message& message) {
      message.add_text("store key");
      message.add_number(1);
    });
    return answer.value().number(1).value();
  };
  EXPECT_EQ(finding(""), 0u);
  EXPECT_EQ(finding("C_WrapKey anything"), kWrapsUnextractable);
}

TEST_F(HsmFaults, FindsOutATokenThatGivesBackAnotherKey) {
  EXPECT_SAYS(failure_to_create("C_GetAttributeValue other"), "another key than it wrapped");
  EXPECT_SAYS(failure_to_create("C_GetAttributeValue short"), "no key of the store");
}

TEST_F(HsmFaults, BelievesNoLengthAndNoCount) {
  EXPECT_SAYS(failure("C_GetAttributeValue long"), "no proper length");
  EXPECT_SAYS(failure_to_create("C_WrapKey long"), "no proper length");
  EXPECT_SAYS(failure_to_create("C_WrapKey short"), "not the one of RFC 5649");
  EXPECT_SAYS(failure("C_FindObjects many"), "16 times");
  EXPECT_EQ(failure("C_GetSlotList many once"), "");
}

TEST_F(HsmFaults, KeepsControlCharactersOutOfTheLog) {
  const std::string why = failure("C_GetTokenInfo control");
  EXPECT_SAYS(why, "\"????");
  EXPECT_EQ(why.find('\x1b'), std::string::npos);
}

TEST_F(HsmFaults, RefusesAModuleOfAnotherStandard) {
  EXPECT_SAYS(failure("C_GetFunctionList version"), "speaks PKCS#11 9.1");
  EXPECT_SAYS(failure("C_GetFunctionList 0x5"), "gives no functions");
  EXPECT_SAYS(failure("C_Initialize 0x5"), "C_Initialize answered CKR_GENERAL_ERROR");
}

}  // namespace
}  // namespace wvds::keystore::hsm
