#include "keystore/hsm/token_uri.h"

#include <gtest/gtest.h>

namespace wvds::keystore::hsm {
namespace {

std::string refusal(std::string_view text) {
  const auto parsed = parse_token(text);
  EXPECT_FALSE(parsed.has_value()) << text;
  return parsed ? "" : parsed.error().detail;
}

TEST(TokenName, IsALabelOrAUri) {
  EXPECT_EQ(parse_token("gate way")->label, "gate way");
  const TokenSelector uri =
      parse_token("pkcs11:token=gate%20way;serial=01%2F2;manufacturer=A%3bB;model=M;slot-id=7;object=k;type=secret-key")
          .value();
  EXPECT_EQ(uri.label, "gate way");
  EXPECT_EQ(uri.serial, "01/2");
  EXPECT_EQ(uri.manufacturer, "A;B");
  EXPECT_EQ(uri.model, "M");
  EXPECT_EQ(uri.slot, 7u);
  EXPECT_EQ(uri.key_label, "k");
}

TEST(TokenName, FitsOnlyTokensWithAllThatItNames) {
  const TokenFacts token{.label = "a", .serial = "1", .manufacturer = "m", .model = "x", .slot = 4};
  EXPECT_TRUE(parse_token("a")->matches(token));
  EXPECT_FALSE(parse_token("b")->matches(token));
  EXPECT_TRUE(parse_token("pkcs11:serial=1;slot-id=4")->matches(token));
  EXPECT_FALSE(parse_token("pkcs11:serial=1;slot-id=5")->matches(token));
  EXPECT_FALSE(parse_token("pkcs11:serial=1;model=y")->matches(token));
  EXPECT_FALSE(parse_token("pkcs11:serial=1;manufacturer=n")->matches(token));
  EXPECT_FALSE(parse_token("pkcs11:serial=2")->matches(token));
}

TEST(TokenName, RefusesAPinAndAModuleByName) {
  EXPECT_NE(refusal("pkcs11:token=a?pin-value=1234").find("pin-value is refused"), std::string::npos);
  EXPECT_EQ(refusal("pkcs11:token=a?pin-value=1234").find("1234"), std::string::npos);
  EXPECT_NE(refusal("pkcs11:token=a?pin-source=/pin").find("pin_file"), std::string::npos);
  EXPECT_NE(refusal("pkcs11:token=a?module-path=/m.so").find("\"module\""), std::string::npos);
  EXPECT_NE(refusal("pkcs11:token=a;pin-value=1").find("pin-value"), std::string::npos);
}

TEST(TokenName, RefusesWhatItDoesNotUnderstand) {
  EXPECT_NE(refusal("pkcs11:token=a;colour=red").find("\"colour\" is not understood"), std::string::npos);
  EXPECT_NE(refusal("pkcs11:token=a?x=1").find("\"x\" is not understood"), std::string::npos);
  EXPECT_NE(refusal("pkcs11:token=a;type=public").find("secret-key"), std::string::npos);
  EXPECT_NE(refusal("pkcs11:token=a;id=%01").find("\"id\""), std::string::npos);
}

TEST(TokenName, RefusesWhatNamesNoToken) {
  for (const char* text : {"", "pkcs11:", "pkcs11:object=k", "pkcs11:type=secret-key", "pkcs11:token="}) refusal(text);
  refusal(std::string(33, 'a'));
}

TEST(TokenName, RefusesMalformedUris) {
  for (const char* text : {"pkcs11:token=a%2", "pkcs11:token=%zz", "pkcs11:token=%", "pkcs11:token=a%00b",
                           "pkcs11:token=a;token=b", "pkcs11:slot-id=x", "pkcs11:slot-id=", "pkcs11:slot-id=-1",
                           "pkcs11:slot-id=1;slot-id=2", "pkcs11:serial=12345678901234567", "pkcs11:token"}) {
    refusal(text);
  }
}

}  // namespace
}  // namespace wvds::keystore::hsm
