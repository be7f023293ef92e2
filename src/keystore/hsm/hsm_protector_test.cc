#include "keystore/hsm/hsm_protector.h"

#include <gtest/gtest.h>

#include "keystore/hsm/testing/soft_token.h"
#include "keystore/protector_conformance.h"

namespace wvds::keystore::testing {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ProtectorConformance);

namespace {

using hsm::testing::SoftTokens;
using hsm::testing::why_no_soft_token;

// All tokens of this program's conformance tests are in one folder: two must be there at once.
SoftTokens& tokens() {
  static SoftTokens made;
  return made;
}

class TokenBacking final : public ProtectorBacking {
 public:
  TokenBacking() { tokens().add(label_); }
  std::unique_ptr<Protector> protector() override {
    return hsm::make_hsm_protector(tokens().session(label_), "conformance");
  }

 private:
  static inline int made_ = 0;
  const std::string label_ = "conformance " + std::to_string(++made_);
};

std::vector<ProtectorKind> kinds() {
  if (!why_no_soft_token().empty()) return {};
  return {{"SoftHsm", Place::kHsmWrapped, [] { return std::make_unique<TokenBacking>(); }}};
}

INSTANTIATE_TEST_SUITE_P(Hsm, ProtectorConformance, ::testing::ValuesIn(kinds()), protector_kind_name);

}  // namespace
}  // namespace wvds::keystore::testing

namespace wvds::keystore::hsm {
namespace {

using keystore::testing::library;
using testing::SoftTokens;

class HsmProtector : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = testing::why_no_soft_token(); !why.empty()) GTEST_SKIP() << why;
    tokens_ = std::make_unique<SoftTokens>();
    tokens_->add("gateway");
  }

  std::unique_ptr<Protector> protector(const std::string& token = "gateway", const std::string& pin = testing::kPin) {
    return make_hsm_protector(tokens_->session(token, pin), "store key");
  }

  std::string refusal(Protector& protector) {
    std::vector<std::byte> header;
    const auto made = protector.create(library(), header);
    EXPECT_FALSE(made.has_value());
    return made ? "" : made.error().detail;
  }

  std::unique_ptr<SoftTokens> tokens_;
};

TEST_F(HsmProtector, UsesTheKeyThatIsThereForTheNextStore) {
  std::vector<std::byte> first, second;
  ASSERT_TRUE(protector()->create(library(), first).has_value());
  ASSERT_TRUE(protector()->create(library(), second).has_value());
  EXPECT_TRUE(protector()->unlock(library(), first).has_value());
  EXPECT_TRUE(protector()->unlock(library(), second).has_value());
}

TEST_F(HsmProtector, WritesTheHeaderThatIsDocumented) {
  std::vector<std::byte> header;
  ASSERT_TRUE(protector()->create(library(), header).has_value());
  Reader reader{Bytes(header)};
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u8(), 16) << "SoftHSM's serial numbers";
  EXPECT_EQ(reader.u8(), 16);
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.u32(), 0x210Au);
  EXPECT_EQ(reader.left(), 16u + 16 + 40);
}

TEST_F(HsmProtector, FindsTheTokenByUri) {
  std::vector<std::byte> header;
  ASSERT_TRUE(protector()->create(library(), header).has_value());
  const std::string serial(reinterpret_cast<const char*>(header.data()) + 8, 16);
  EXPECT_TRUE(protector("pkcs11:serial=" + serial)->unlock(library(), header).has_value());
  EXPECT_TRUE(protector("pkcs11:model=SoftHSM%20v2;token=gate%77ay")->unlock(library(), header).has_value());
}

TEST_F(HsmProtector, NamesTheTokensWhereNoneFits) {
  const std::string why = refusal(*protector("other"));
  EXPECT_NE(why.find("no token with label \"other\""), std::string::npos) << why;
  EXPECT_NE(why.find("\"gateway\" (serial "), std::string::npos) << why;
}

TEST_F(HsmProtector, RefusesToChooseBetweenTwoTokens) {
  tokens_->add("gateway");
  const std::string why = refusal(*protector());
  EXPECT_NE(why.find("several tokens fit"), std::string::npos) << why;
  EXPECT_NE(why.find("pkcs11:serial="), std::string::npos) << why;
}

TEST_F(HsmProtector, NeverTriesAWrongPinTwice) {
  tokens_->order("");
  const auto session = tokens_->session("gateway", "7654321", SoftTokens::faulty_module());
  const auto wrong = make_hsm_protector(session, "store key");
  const std::string why = refusal(*wrong);
  EXPECT_NE(why.find("CKR_PIN_INCORRECT"), std::string::npos) << why;
  EXPECT_NE(why.find("PIN is wrong"), std::string::npos) << why;
  EXPECT_EQ(why.find("7654321"), std::string::npos) << why;
  tokens_->order("C_Login 0x0");  // would let anything in
  EXPECT_NE(refusal(*wrong).find("not tried again"), std::string::npos);
}

TEST_F(HsmProtector, SaysThatThePinFileIsMissingOrOpenToOthers) {
  const std::string path = tokens_->folder() + "/pin-71";
  auto session = tokens_->session("gateway");
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_NE(refusal(*make_hsm_protector(session, "k")).find("everybody can read or change"), std::string::npos);
  session = tokens_->session("gateway");
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_NE(refusal(*make_hsm_protector(session, "k")).find("PIN is missing"), std::string::npos);
}

TEST_F(HsmProtector, SaysThatTheTokenIsAnother) {
  std::vector<std::byte> header;
  ASSERT_TRUE(protector()->create(library(), header).has_value());
  tokens_->add("spare");
  const auto opened = protector("spare")->unlock(library(), header);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().detail.find("put the right one in"), std::string::npos) << opened.error().detail;
}

TEST_F(HsmProtector, SaysWhatIsWrongWithTheModule) {
  const auto why = [&](const std::string& module) {
    return refusal(*make_hsm_protector(tokens_->session("gateway", testing::kPin, module), "k"));
  };
  EXPECT_NE(why("/nonexistent/module.so").find("/nonexistent/module.so"), std::string::npos);
  const std::string text = tokens_->write("text.so", "no module");
  EXPECT_NE(why(text).find("can't be used"), std::string::npos);
  ASSERT_EQ(::chmod(text.c_str(), 0666), 0);
  EXPECT_NE(why(text).find("everybody can write"), std::string::npos);
  EXPECT_NE(why("/proc/self/exe").find("can't be used"), std::string::npos);
}

}  // namespace
}  // namespace wvds::keystore::hsm
