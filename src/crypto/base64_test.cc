#include "crypto/base64.h"

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

std::string encoded(std::string_view data) {
  const auto text = base64_encode(as_bytes(data));
  return text ? std::string(text_of(*text)) : why(text);
}

std::string decoded(std::string_view text) {
  const auto data = base64_decode(as_bytes(text));
  return data ? std::string(text_of(*data)) : std::string(status_name(data.error().status));
}

// RFC 4648, section 10
TEST(Base64, GivesTheValuesOfRfc4648BothWays) {
  const std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : kVectors) {
    EXPECT_EQ(encoded(plain), text);
    EXPECT_EQ(decoded(text), plain);
  }
}

TEST(Base64, DecodesWhatItEncodedForEveryLengthAndByte) {
  for (size_t size = 0; size < 300; ++size) {
    const Octets data = pattern(size, static_cast<unsigned>(size));
    const auto text = base64_encode(data);
    ASSERT_TRUE(text);
    const auto again = base64_decode(*text);
    ASSERT_TRUE(again);
    EXPECT_TRUE(same(data, *again));
  }
}

TEST(Base64, TakesOneFormOnly) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Zg==\n", " Zg==", "Zg==Zg==", "Z===", "====", "=Zg=",
                          "Zm9v\r\nYmFy", "Zm-_", "Zh==", "Zm9=", "Zm9vYg=a", "Zm9vYg=\n"}) {
    EXPECT_EQ(decoded(bad), "INVALID_PAYLOAD") << bad;
  }
  EXPECT_EQ(decoded(std::string_view("Zm9\0", 4)), "INVALID_PAYLOAD");
}

TEST(Base64, HasABound) {
  const Octets most(kMaxBase64Input + 4, std::byte{'A'});
  EXPECT_EQ(status_of(base64_encode(most)), Status::kInvalidPayload);
  EXPECT_EQ(status_of(base64_decode(most)), Status::kInvalidPayload);
}

}  // namespace
}  // namespace wvds::crypto
