#include "crypto/argon2id.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

// Here, where there is a secure heap, OpenSSL looks for its working memory there.
TEST(Argon2idByOpenSsl, SaysThatItsMemoryCannotBeHad) {
  const Octets salt = pattern(16);
  Octets out = pattern(32);
  const auto refused = argon2id(library_in(FipsMode::kOff), {.passphrase = salt, .salt = salt}, kArgon2idCost, out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, Status::kLimitReached) << refused.error().detail;
  EXPECT_NE(refused.error().detail.find("64 MB"), std::string::npos) << refused.error().detail;
  EXPECT_TRUE(all_zero(out));
}

TEST(Argon2idByOpenSsl, IsNotThereInsideFips) {
  const Octets salt = pattern(16);
  Octets out = pattern(32);
  const auto refused = argon2id(library_in(FipsMode::kRequired), {.passphrase = salt, .salt = salt},
                                {.memory_kib = 32, .passes = 1, .lanes = 1}, out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, Status::kUnsupported);
}

}  // namespace
}  // namespace wvds::crypto
