#include "crypto/argon2id.h"

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

class Argon2id : public LibraryTest {
 protected:
  Status status(const Argon2idInputs& inputs, const Argon2idCost& cost, size_t size = 32) {
    Octets out = pattern(size);
    const auto done = argon2id(library(), inputs, cost, out);
    EXPECT_TRUE(done || all_zero(out));
    return status_of(done);
  }

  const Library& library() const { return library_in(FipsMode::kOff); }
  const Octets passphrase_ = Octets(32, std::byte{1});
  const Octets salt_ = Octets(16, std::byte{2});
  const Argon2idInputs inputs_{.passphrase = passphrase_, .salt = salt_};
};
INSTANTIATE_TEST_SUITE_P(, Argon2id, testing::Values(FipsMode::kOff), mode_name);

// RFC 9106, section 5.3
TEST_P(Argon2id, GivesTheValueOfRfc9106) {
  const Octets secret(8, std::byte{3}), associated(12, std::byte{4});
  Argon2idInputs inputs = inputs_;
  inputs.secret = secret;
  inputs.associated = associated;
  Octets out(32);
  const auto done = argon2id(library(), inputs, {.memory_kib = 32, .passes = 3, .lanes = 4}, out);
  ASSERT_TRUE(done) << why(done);
  EXPECT_EQ(to_hex(out), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

TEST_P(Argon2id, DependsOnEveryInputAndEachPartOfTheCost) {
  constexpr Argon2idCost kSmall{.memory_kib = 32, .passes = 1, .lanes = 1};
  std::vector<Octets> seen;
  const auto derive = [&](const Argon2idInputs& inputs, const Argon2idCost& cost) {
    Octets out(32);
    EXPECT_TRUE(argon2id(library(), inputs, cost, out));
    EXPECT_EQ(std::ranges::count(seen, out), 0);
    seen.push_back(out);
  };
  const Octets other(17, std::byte{9});
  derive(inputs_, kSmall);
  derive({.passphrase = other, .salt = salt_}, kSmall);
  derive({.passphrase = passphrase_, .salt = other}, kSmall);
  derive({.passphrase = passphrase_, .salt = salt_, .secret = other}, kSmall);
  derive({.passphrase = passphrase_, .salt = salt_, .associated = other}, kSmall);
  derive(inputs_, {.memory_kib = 40, .passes = 1, .lanes = 1});
  derive(inputs_, {.memory_kib = 32, .passes = 2, .lanes = 1});
  derive(inputs_, {.memory_kib = 32, .passes = 1, .lanes = 2});
}

TEST_P(Argon2id, RefusesWhatRfc9106ForbidsAndWhatIsTooMuch) {
  constexpr Argon2idCost kSmall{.memory_kib = 32, .passes = 1, .lanes = 4};
  EXPECT_EQ(status(inputs_, kSmall), Status::kSuccess);
  EXPECT_EQ(status(inputs_, {.memory_kib = 31, .passes = 1, .lanes = 4}), Status::kInvalidPayload);
  EXPECT_EQ(status(inputs_, {.memory_kib = 32, .passes = 0, .lanes = 4}), Status::kInvalidPayload);
  EXPECT_EQ(status(inputs_, {.memory_kib = 32, .passes = 1, .lanes = 0}), Status::kInvalidPayload);
  EXPECT_EQ(status(inputs_, {.memory_kib = UINT32_MAX, .passes = 1, .lanes = 1u << 24}), Status::kInvalidPayload);
  EXPECT_EQ(status(inputs_, {.memory_kib = kMaxArgon2idMemory + 1, .passes = 1, .lanes = 4}), Status::kInvalidPayload);
  EXPECT_EQ(status({.passphrase = passphrase_, .salt = Bytes(salt_).first(7)}, kSmall), Status::kInvalidPayload);
  EXPECT_EQ(status(inputs_, kSmall, 3), Status::kInvalidPayload);
  EXPECT_EQ(status(inputs_, kSmall, 1025), Status::kInvalidPayload);
}

}  // namespace
}  // namespace wvds::crypto
