#include "keystore/hsm/pin_change.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "keystore/hsm/linux/helper_process.h"
#include "keystore/hsm/testing/soft_token.h"

namespace wvds::keystore::hsm {
namespace {

using testing::kPin;
using testing::SoftTokens;

constexpr const char* kNewPin = "998877665";

class PinChange : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = testing::why_no_soft_token(); !why.empty()) GTEST_SKIP() << why;
    tokens_ = std::make_unique<SoftTokens>();
    tokens_->add("gateway");
    tokens_->order("");
    path_ = tokens_->write("pin", kPin);
  }

  // As the tool opens it
  static Result<std::shared_ptr<TokenSession>> open(std::unique_ptr<PinSource> pin) {
    WVDS_ASSIGN(helper, start_helper(std::chrono::seconds(60)));
    WVDS_ASSIGN(token, parse_token("gateway"));
    return std::make_shared<TokenSession>(SessionSettings{SoftTokens::faulty_module(), token}, std::move(pin),
                                          std::move(helper));
  }

  Result<> change(const std::string& pin) { return change_pin_file(open, file_name(path_), as_bytes(pin)); }
  Result<> finish() { return finish_pin_change(open, file_name(path_)); }

  bool token_takes(const std::string& pin) {
    const auto session = open(make_file_pin(file_name(tokens_->write("trial", pin))));
    return session && (*session)->open().has_value();
  }

  std::string file() const {
    std::string text;
    std::getline(std::ifstream(path_), text);
    return text;
  }

  bool has_next() const { return ::access((path_ + ".next").c_str(), F_OK) == 0; }

  std::unique_ptr<SoftTokens> tokens_;
  std::string path_;
};

TEST_F(PinChange, ChangesTokenAndFile) {
  const auto changed = change(kNewPin);
  ASSERT_TRUE(changed.has_value()) << changed.error().detail;
  EXPECT_EQ(file(), kNewPin);
  EXPECT_FALSE(has_next());
  EXPECT_TRUE(token_takes(kNewPin));
  EXPECT_FALSE(token_takes(kPin));
}

TEST_F(PinChange, LeavesEverythingWhereTheTokenRefusesTheNewPin) {
  const auto changed = change("12");
  ASSERT_FALSE(changed.has_value());
  EXPECT_NE(changed.error().detail.find("CKR_PIN_LEN_RANGE"), std::string::npos) << changed.error().detail;
  EXPECT_EQ(file(), kPin);
  EXPECT_FALSE(has_next());
  EXPECT_TRUE(token_takes(kPin));
}

TEST_F(PinChange, LeavesEverythingWhereTheOldPinIsWrong) {
  tokens_->write("pin", "7654321");
  EXPECT_FALSE(change(kNewPin).has_value());
  EXPECT_FALSE(has_next());
  EXPECT_TRUE(token_takes(kPin));
}

TEST_F(PinChange, IsFinishedWhereTheModuleCrashedBeforeTheTokenChanged) {
  tokens_->order("C_SetPIN crash once");
  const auto changed = change(kNewPin);
  ASSERT_FALSE(changed.has_value());
  EXPECT_NE(changed.error().detail.find("without --new-pin-file"), std::string::npos) << changed.error().detail;
  EXPECT_EQ(file(), kPin);
  EXPECT_TRUE(has_next());
  EXPECT_EQ(change("another").error().status, Status::kInvalidArgument) << "the first one has to be finished";
  ASSERT_TRUE(finish().has_value());
  EXPECT_EQ(file(), kNewPin);
  EXPECT_FALSE(has_next());
  EXPECT_TRUE(token_takes(kNewPin));
}

TEST_F(PinChange, IsFinishedWhereTheTokenChangedAndTheFileDidNot) {
  ASSERT_TRUE(change(kNewPin).has_value());
  tokens_->write("pin", kPin);
  tokens_->write("pin.next", kNewPin);
  ASSERT_TRUE(finish().has_value());
  EXPECT_EQ(file(), kNewPin);
  EXPECT_FALSE(has_next());
}

TEST_F(PinChange, SaysThatTheTokenHasNeitherPin) {
  tokens_->write("pin", "7654321");
  tokens_->write("pin.next", "7654322");
  const auto finished = finish();
  ASSERT_FALSE(finished.has_value());
  EXPECT_NE(finished.error().detail.find("neither"), std::string::npos) << finished.error().detail;
  EXPECT_TRUE(has_next());
}

TEST_F(PinChange, HasNothingToFinishUsually) { EXPECT_EQ(finish().error().status, Status::kInvalidArgument); }

TEST_F(PinChange, IsMentionedWhereTheOldPinIsWrongAtAStart) {
  ASSERT_TRUE(change(kNewPin).has_value());
  tokens_->write("pin", kPin);
  tokens_->write("pin.next", kNewPin);
  const auto session = open(make_file_pin(file_name(path_)));
  const auto opened = (*session)->open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().detail.find("wvds store pin"), std::string::npos) << opened.error().detail;
}

}  // namespace
}  // namespace wvds::keystore::hsm
