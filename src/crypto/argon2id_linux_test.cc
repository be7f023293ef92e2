#include <sys/resource.h>

#include <fstream>

#include "crypto/argon2id.h"
#include "crypto/testing/library_fixture.h"

// What Linux gives, and does not give, of memory.
namespace wvds::crypto {
namespace {

constexpr rlim_t kMegabyte = 1 << 20;

rlim_t data_in_use() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    if (word != "VmData:") continue;
    rlim_t kilobytes = 0;
    in >> kilobytes;
    return kilobytes << 10;
  }
  ADD_FAILURE() << "no VmData";
  return 0;
}

// DataLimit lets the process have only so much more memory.
class DataLimit {
 public:
  explicit DataLimit(rlim_t more) {
    ::getrlimit(RLIMIT_DATA, &before_);
    const rlimit less{data_in_use() + more, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_DATA, &less), 0);
  }
  ~DataLimit() { ::setrlimit(RLIMIT_DATA, &before_); }

 private:
  rlimit before_{};
};

TEST(Argon2idMemory, ThatCannotBeHadIsAClearError) {
  const Library& library = library_in(FipsMode::kOff);
  const Octets salt = pattern(16);
  const Argon2idInputs inputs{.passphrase = salt, .salt = salt};
  Octets out = pattern(32);
  {
    const DataLimit limit(32 * kMegabyte);
    const auto refused = argon2id(library, inputs, kArgon2idCost, out);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, Status::kLimitReached);
    EXPECT_NE(refused.error().detail.find("64 MB"), std::string::npos) << refused.error().detail;
    EXPECT_TRUE(all_zero(out));
  }
  EXPECT_TRUE(argon2id(library, inputs, kArgon2idCost, out));
}

TEST(Argon2idMemory, IsNotTakenFromTheSecureHeapAndGivenBack) {
  const Library& library = library_in(FipsMode::kOff);
  const Octets salt = pattern(16);
  Octets out(32);
  const size_t used = library.secure_heap().used;
  const rlim_t before = data_in_use();
  ASSERT_TRUE(argon2id(library, {.passphrase = salt, .salt = salt}, kArgon2idCost, out));
  EXPECT_EQ(library.secure_heap().used, used);
  EXPECT_LT(data_in_use(), before + 32 * kMegabyte);
}

}  // namespace
}  // namespace wvds::crypto
