// Where secrets live, read from /proc. The process's heap is made once, so tests of another size run in processes of
// their own.

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "crypto/ecdsa.h"
#include "crypto/locked_secret.h"
#include "crypto/mldsa.h"
#include "crypto/mlkem.h"
#include "crypto/secure_heap.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

[[noreturn]] void finish(bool right, const std::string& text) {
  std::cerr << text << std::endl;
  std::_Exit(right ? 0 : 1);  // locals and LeakSanitizer are left out: what is tested ends here
}

void require(bool right, const std::string& text) {
  if (!right) finish(false, text);
}

// mapping_flags returns the VmFlags of the mapping that `address` is in ("lo": locked, "dd": not in core dumps).
std::string mapping_flags(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  std::string line;
  bool inside = false;
  while (std::getline(maps, line)) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char dash = 0;
    std::istringstream head(line);
    if (head >> std::hex >> begin >> dash >> end && dash == '-') inside = begin <= wanted && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

// drop_lock_right takes away what lets root lock memory beyond the limit.
void drop_lock_right() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  require(syscall(SYS_capget, &header, data) == 0, "capget");
  for (auto& part : data) part.inheritable = 0;
  data[0].effective &= ~(1u << CAP_IPC_LOCK);
  data[0].permitted &= ~(1u << CAP_IPC_LOCK);
  require(syscall(SYS_capset, &header, data) == 0, "capset");
}

void limit_locked_memory(size_t bytes) {
  drop_lock_right();
  const rlimit limit{bytes, bytes};
  require(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "setrlimit");
}

std::unique_ptr<Library> load(size_t heap, bool locked_memory_required = false) {
  LibraryConfig config;
  config.fips = FipsMode::kRequired;
  config.secure_heap_bytes = heap;
  config.locked_memory_required = locked_memory_required;
  auto loaded = Library::load(config);
  if (!loaded) finish(false, loaded.error().detail);
  return std::move(*loaded);
}

TEST(LockedBytes, AreInLockedMemoryThatIsLeftOutOfCoreDumps) {
  const Library& library = library_in(FipsMode::kRequired);
  ASSERT_TRUE(library.memory_locked());
  const auto secret = LockedBytes::copy_of(pattern(32));
  ASSERT_TRUE(secret) << why(secret);
  const std::string flags = mapping_flags(secret->expose().data());
  EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  const Octets ordinary(32);
  EXPECT_EQ(mapping_flags(ordinary.data()).find(" lo "), std::string::npos) << "the test can tell";
}

TEST(LockedBytes, AreWipedOnRelease) {
  library_in(FipsMode::kRequired);
  const std::byte* where = nullptr;
  constexpr size_t kSize = 256;
  {
    const auto secret = LockedBytes::copy_of(pattern(kSize));
    ASSERT_TRUE(secret);
    where = secret->expose().data();
    ASSERT_TRUE(same({where, kSize}, pattern(kSize)));
  }
  // The heap's own links may stand in the first bytes of a free block.
  constexpr size_t kLinks = 2 * sizeof(void*);
  for (size_t i = kLinks; i < kSize; ++i) {
    const std::byte left = static_cast<const volatile std::byte*>(where)[i];
    EXPECT_EQ(left, std::byte{0}) << i;
  }
}

TEST(LockedBytes, MoveAndLeaveNothingBehind) {
  library_in(FipsMode::kRequired);
  auto first = LockedBytes::copy_of(pattern(32, 1));
  auto second = LockedBytes::copy_of(pattern(48, 2));
  ASSERT_TRUE(first && second);
  *first = std::move(*second);
  EXPECT_TRUE(same(first->expose(), pattern(48, 2)));
  EXPECT_EQ(second->size(), 0u);
  const LockedBytes third = std::move(*first);
  EXPECT_TRUE(same(third.expose(), pattern(48, 2)));
  EXPECT_EQ(first->size(), 0u);
  const auto zeroed = LockedBytes::of_size(100);
  ASSERT_TRUE(zeroed);
  EXPECT_TRUE(all_zero(zeroed->expose()));
  EXPECT_EQ(LockedBytes::of_size(0)->size(), 0u);
}

TEST(PrivateKeys, FitTheSizesThatTheLibraryDocuments) {
  const Library& library = library_in(FipsMode::kRequired);
  const auto heap_use = [&](Algorithm algorithm) {
    const size_t before = library.secure_heap().used;
    const Octets seed = pattern(algorithm_info(algorithm)->secret);
    if (is_ml_dsa(algorithm)) {
      const auto key = MlDsaPrivateKey::from_seed(library, algorithm, seed);
      EXPECT_TRUE(key) << why(key);
      return library.secure_heap().used - before;
    }
    if (is_ecdsa(algorithm)) {
      const auto key = EcdsaPrivateKey::from_scalar(library, algorithm, seed);
      EXPECT_TRUE(key) << why(key);
      return library.secure_heap().used - before;
    }
    const auto key = MlKemPrivateKey::from_seed(library, algorithm, seed);
    EXPECT_TRUE(key) << why(key);
    return library.secure_heap().used - before;
  };
  EXPECT_LE(heap_use(Algorithm::kMlDsa44), 21u << 10);
  EXPECT_LE(heap_use(Algorithm::kMlDsa65), 37u << 10);
  EXPECT_LE(heap_use(Algorithm::kMlDsa87), 41u << 10);
  EXPECT_LE(heap_use(Algorithm::kMlKem512), 4u << 10);
  EXPECT_LE(heap_use(Algorithm::kMlKem1024), 5u << 10);
  EXPECT_LE(heap_use(Algorithm::kEcdsaP256), 1u << 10);
  EXPECT_LE(heap_use(Algorithm::kEcdsaP384), 1u << 10);
}

class SecureHeapDeathTest : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

[[noreturn]] void fit_the_limit() {
  limit_locked_memory(600 << 10);
  const auto library = load(4 << 20);
  require(library->memory_locked(), "not locked");
  const auto secret = LockedBytes::copy_of(pattern(32));
  require(secret && mapping_flags(secret->expose().data()).find(" lo ") != std::string::npos, "not locked in /proc");
  finish(library->secure_heap().size == 512 << 10, "heap of " + std::to_string(library->secure_heap().size));
}

TEST_F(SecureHeapDeathTest, IsHalvedUntilItFitsTheLimit) {
  EXPECT_EXIT(fit_the_limit(), testing::ExitedWithCode(0), "heap of 524288");
}

[[noreturn]] void work_unlocked() {
  limit_locked_memory(0);
  const auto library = load(1 << 20);
  require(!library->memory_locked(), "it claims to be locked");
  LockedBytes seed;
  require(MlDsaPrivateKey::generate(*library, Algorithm::kMlDsa65, seed).has_value(), "no key");
  finish(library->secure_heap().size == 1 << 20, "works unlocked");
}

TEST_F(SecureHeapDeathTest, SaysWhenNothingCanBeLocked) {
  EXPECT_EXIT(work_unlocked(), testing::ExitedWithCode(0), "works unlocked");
}

[[noreturn]] void refuse_unlocked() {
  limit_locked_memory(0);
  LibraryConfig config;
  config.locked_memory_required = true;
  const auto loaded = Library::load(config);
  finish(status_of(loaded) == Status::kLimitReached, why(loaded));
}

TEST_F(SecureHeapDeathTest, RefusesToLoadWhereLockedMemoryIsRequiredAndCantBeHad) {
  EXPECT_EXIT(refuse_unlocked(), testing::ExitedWithCode(0), "RLIMIT_MEMLOCK");
}

// Fills the heap with expanded keys; returns them.
std::vector<std::unique_ptr<MlDsaPrivateKey>> fill_with_keys(const Library& library) {
  std::vector<std::unique_ptr<MlDsaPrivateKey>> keys;
  for (unsigned i = 0; i * 16384 < library.secure_heap().size; ++i) {
    auto key = MlDsaPrivateKey::from_seed(library, Algorithm::kMlDsa44, pattern(kMlDsaSeedSize, i));
    if (!key) {
      require(key.error().status == Status::kLimitReached, why(key));
      return keys;
    }
    keys.push_back(std::move(*key));
  }
  finish(false, "no limit");
}

[[noreturn]] void survive_a_full_heap() {
  const auto library = load(512 << 10, true);
  auto keys = fill_with_keys(*library);
  require(keys.size() > 10, "only " + std::to_string(keys.size()) + " keys");
  const SecureHeap heap = library->secure_heap();
  require(heap.used + kSecureHeapReserve <= heap.size, "the reserve is in use");
  LockedBytes seed;
  require(status_of(MlDsaPrivateKey::generate(*library, Algorithm::kMlDsa65, seed)) == Status::kLimitReached,
          "generate");
  Octets random(16);
  Octets signature(algorithm_info(Algorithm::kMlDsa44)->signature);
  require(library->random(random).has_value(), "no random bytes");
  require(keys.front()->sign({}, UntrustedBytes(Bytes(random)), signature).has_value(), "no signature");
  keys.resize(keys.size() - 5);
  const auto again = MlDsaPrivateKey::generate(*library, Algorithm::kMlDsa65, seed);
  finish(again.has_value(), "keys again");
}

TEST_F(SecureHeapDeathTest, FullOfKeysRefusesMoreKeysAndNothingElse) {
  EXPECT_EXIT(survive_a_full_heap(), testing::ExitedWithCode(0), "keys again");
}

// Fills the heap with small secrets until one is refused or goes to ordinary memory.
std::vector<LockedBytes> fill_with_secrets(const Library& library) {
  std::vector<LockedBytes> secrets;
  const size_t more_than_fit = library.secure_heap().size / 4096 + 1;
  while (library.memory_locked() && secrets.size() < more_than_fit) {
    auto secret = LockedBytes::copy_of(pattern(4096));
    if (!secret) {
      require(secret.error().status == Status::kLimitReached, why(secret));
      break;
    }
    secrets.push_back(std::move(*secret));
  }
  return secrets;
}

[[noreturn]] void go_to_ordinary_memory() {
  const auto library = load(256 << 10);
  const auto secrets = fill_with_secrets(*library);
  require(!library->memory_locked(), "it claims that all is locked");
  require(same(secrets.back().expose(), pattern(4096)), "content");
  require(mapping_flags(secrets.back().expose().data()).find(" lo ") == std::string::npos, "the last is locked");
  Octets random(16);
  finish(library->random(random).has_value(), "says so");
}

TEST_F(SecureHeapDeathTest, FullOfSecretsGoesToOrdinaryMemoryAndSaysSo) {
  EXPECT_EXIT(go_to_ordinary_memory(), testing::ExitedWithCode(0), "says so");
}

[[noreturn]] void refuse_ordinary_memory() {
  const auto library = load(256 << 10, true);
  const auto secrets = fill_with_secrets(*library);
  require(library->memory_locked(), "a secret went to ordinary memory");
  require(secrets.size() >= 40, "only " + std::to_string(secrets.size()) + " secrets");
  finish(status_of(LockedBytes::of_size(4096)) == Status::kLimitReached, "refused");
}

TEST_F(SecureHeapDeathTest, FullOfSecretsRefusesMoreWhereLockedMemoryIsRequired) {
  EXPECT_EXIT(refuse_ordinary_memory(), testing::ExitedWithCode(0), "refused");
}

}  // namespace
}  // namespace wvds::crypto
