#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <new>
#include <type_traits>

namespace wvds {
namespace {

static_assert(!std::is_copy_constructible_v<AesKeyBytes>);
static_assert(!std::is_copy_assignable_v<AesKeyBytes>);
static_assert(!std::is_convertible_v<MlDsaSeed, AesKeyBytes>, "roles of one size are different types");
static_assert(!std::is_constructible_v<StoreKey, AesKeyBytes>);

AesKeyBytes filled() {
  AesKeyBytes secret;
  std::ranges::fill(secret.expose_for_writing(), std::byte{0xa5});
  return secret;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

TEST(Secret, MovingWipesTheSource) {
  AesKeyBytes source = filled();
  const AesKeyBytes target = std::move(source);
  EXPECT_TRUE(all_zero(source.expose()));  // NOLINT(bugprone-use-after-move): the wiped state is what is tested
  EXPECT_FALSE(all_zero(target.expose()));
}

TEST(Secret, DestructorWipesItsMemory) {
  alignas(AesKeyBytes) std::array<std::byte, sizeof(AesKeyBytes)> memory{};
  auto* secret = new (memory.data()) AesKeyBytes(filled());
  ASSERT_FALSE(all_zero(memory));
  std::destroy_at(secret);
  __asm__ __volatile__("" : : "r"(memory.data()) : "memory");
  EXPECT_TRUE(all_zero(memory));
}

}  // namespace
}  // namespace wvds
