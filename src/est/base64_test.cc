#include "est/base64.h"

#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

std::string decoded(std::string_view text, size_t limit = 1000) {
  const auto data = decode_body(as_bytes(text), limit);
  return data ? to_text(*data) : "failure: " + data.error().detail;
}

// RFC 8951, section 3.1: white space is tolerated.
TEST(DecodeBody, TakesWhatRealServersSend) {
  for (const char* text : {"Zm9vYmFy", "Zm9vYmFy\n", "Zm9vYmFy\r\n", "Zm9v\r\nYmFy\r\n", "Zm9v\nYmFy",
                           "Z m 9\tv\r\n\r\nYmFy", " \r\n Zm9vYmFy \n\n", "Zm9v\rYmFy"}) {
    EXPECT_EQ(decoded(text), "foobar") << text;
  }
  EXPECT_EQ(decoded("Zg=\r\n=\r\n"), "f");
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("\r\n"), "");
  EXPECT_EQ(decoded({"Zm9vYmFy\0", 9}), "foobar") << "libest's own CSR attributes";
  EXPECT_NE(decoded({"Zm9vYmFy\0\0", 10}), "foobar");
}

TEST(DecodeBody, SaysWhatIsWrong) {
  EXPECT_TRUE(fails_as(decode_body(as_bytes("<html>"), 100), FailureKind::kBadBase64,
                       "character 1 of the body is not base64; it is HTML"));
  EXPECT_TRUE(fails_as(decode_body(as_bytes("-----BEGIN CERTIFICATE-----"), 100), FailureKind::kBadBase64, "PEM"));
  EXPECT_TRUE(fails_as(decode_body(as_bytes("0\x82\x01"), 100), FailureKind::kBadBase64, "DER without base64"));
  EXPECT_TRUE(
      fails_as(decode_body(as_bytes("Zm9\nvY"), 100), FailureKind::kBadBase64, "breaks off after 5 characters"));
  EXPECT_TRUE(fails_as(decode_body(as_bytes("Zm9v_-=="), 100), FailureKind::kBadBase64, "character 5"));
  EXPECT_TRUE(fails_as(decode_body(as_bytes("Zh=="), 100), FailureKind::kBadBase64, "bits"));
  EXPECT_TRUE(fails_as(decode_body(as_bytes("Zg==Zg=="), 100), FailureKind::kBadBase64, "padding"));
}

// A body may hold a private key.
TEST(DecodeBody, NeverShowsTheBody) {
  for (const char* body : {"SECRETSECRET*", "SECRETSECRETS", "-----BEGIN SECRET"}) {
    EXPECT_EQ(detail_of(decode_body(as_bytes(body), 100)).find("SECRET"), std::string::npos);
  }
}

TEST(DecodeBody, HasALimit) {
  EXPECT_EQ(decoded("Zm9vYmFy", 6), "foobar");
  EXPECT_TRUE(fails_as(decode_body(as_bytes("Zm9vYmFy"), 5), FailureKind::kTooLarge));
  EXPECT_EQ(decoded("Zg==", 1), "f");
  EXPECT_TRUE(fails_as(decode_body(as_bytes("Zm8="), 1), FailureKind::kTooLarge));
  EXPECT_TRUE(fails_as(decode_body(as_bytes("Zm9vYmFyZm9v"), 1), FailureKind::kTooLarge));
}

TEST(EncodeBody, GivesOneLine) {
  const std::string data(1000, 'x');
  const auto text = encode_body(as_bytes(data));
  ASSERT_TRUE(text);
  EXPECT_EQ(to_text(*text).find_first_of("\r\n"), std::string::npos);
  EXPECT_EQ(decoded(to_text(*text)), data);
}

}  // namespace
}  // namespace wvds::est
