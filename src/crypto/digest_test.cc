#include "crypto/digest.h"

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

// RFC 1321, A.5
TEST(Md5, GivesTheValuesOfRfc1321) {
  const Library& library = library_in(FipsMode::kOff);
  const std::pair<const char*, const char*> kVectors[] = {{"", "d41d8cd98f00b204e9800998ecf8427e"},
                                                          {"abc", "900150983cd24fb0d6963f7d28e17f72"},
                                                          {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"}};
  for (const auto& [text, hex] : kVectors) {
    const auto digest = md5(library, as_bytes(text));
    ASSERT_TRUE(digest) << why(digest);
    EXPECT_EQ(to_hex(*digest), hex);
  }
}

TEST(Md5, IsRefusedWhereFipsIsActive) {
  EXPECT_EQ(status_of(md5(library_in(FipsMode::kRequired), {})), Status::kUnsupported);
  const auto preferred = load_or_exit(FipsMode::kPreferred);
  ASSERT_EQ(preferred->fips_state(), FipsState::kActive);
  EXPECT_EQ(status_of(md5(*preferred, {})), Status::kUnsupported);
}

}  // namespace
}  // namespace wvds::crypto
