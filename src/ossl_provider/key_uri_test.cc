#include "ossl_provider/key_uri.h"

#include <gtest/gtest.h>

namespace wvds::ossl_provider {
namespace {

// refused is why a URI is none; empty when it is one.
std::string refused(std::string_view uri) {
  const auto parsed = parse_key_uri(uri);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().status, Status::kInvalidArgument);
  return parsed.error().detail;
}

TEST(KeyUri, NamesAKey) {
  const auto uri = parse_key_uri("wvds:key=7");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->key_id, 7u);
  EXPECT_EQ(uri->socket, "");
  EXPECT_EQ(parse_key_uri("WVDS:key=4294967295")->key_id, 0xffffffffu);
}

TEST(KeyUri, NamesASocketInAnyOrder) {
  for (const char* text :
       {"wvds:key=7;socket=/run/a b", "wvds:socket=/run/a%20b;key=7", "wvds:key=%37;socket=/run/a%20%62"}) {
    const auto uri = parse_key_uri(text);
    ASSERT_TRUE(uri) << text;
    EXPECT_EQ(uri->key_id, 7u);
    EXPECT_EQ(uri->socket, "/run/a b");
  }
  EXPECT_EQ(parse_key_uri("wvds:key=1;socket=a%3Bb%3dc=d")->socket, "a;b=c=d");
}

TEST(KeyUri, SaysWhatIsWrong) {
  EXPECT_NE(refused("wvds:").find("unknown part \"\""), std::string::npos);
  EXPECT_NE(refused("wvds:socket=/s").find("names no key"), std::string::npos);
  EXPECT_NE(refused("wvds:key=7;pin=1").find("unknown part \"pin\""), std::string::npos);
  EXPECT_NE(refused("wvds:key=7;").find("unknown part \"\""), std::string::npos);
  EXPECT_NE(refused("wvds:key=7;key=8").find("\"key\" stands twice"), std::string::npos);
  EXPECT_NE(refused("wvds:key=7;socket=a;socket=b").find("\"socket\" stands twice"), std::string::npos);
  EXPECT_NE(refused("wvds:key").find("\"key\" has no value"), std::string::npos);
  EXPECT_NE(refused("wvds:key=7;socket=").find("\"socket\" has no value"), std::string::npos);
  for (const char* number : {"0", "-1", "+1", " 1", "1 ", "0x1", "seven", "4294967296", "1.0"})
    EXPECT_NE(refused(std::string("wvds:key=") + number).find("is no key's number"), std::string::npos) << number;
  EXPECT_NE(refused("file:key=7").find("does not begin with wvds:"), std::string::npos);
  EXPECT_NE(refused("").find("does not begin with wvds:"), std::string::npos);
}

TEST(KeyUri, RefusesWrongPercentEncoding) {
  for (const char* text : {"wvds:key=%", "wvds:key=%3", "wvds:key=7;socket=%zz", "wvds:key=7;socket=a%-1"})
    EXPECT_NE(refused(text).find("two hexadecimal digits"), std::string::npos) << text;
  EXPECT_NE(refused("wvds:key=7;socket=a%00b").find("zero byte"), std::string::npos);
  EXPECT_NE(refused(std::string_view("wvds:key=7;socket=a\0b", 21)).find("zero byte"), std::string::npos);
}

TEST(KeyUri, RefusesWhatIsTooLong) {
  const std::string longest = "wvds:key=7;socket=/" + std::string(kMaxUriSize - 19, 's');
  ASSERT_EQ(longest.size(), kMaxUriSize);
  EXPECT_EQ(refused(longest), "");
  EXPECT_NE(refused(longest + "s").find("too long"), std::string::npos);
}

TEST(KeyUri, MessagesShowNothingUnprintable) {
  const std::string message = refused("wvds:\x1b[31m\n=1");
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_NE(message.find("\"?[31m?\""), std::string::npos) << message;
}

}  // namespace
}  // namespace wvds::ossl_provider
