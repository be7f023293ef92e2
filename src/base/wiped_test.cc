#include "base/wiped.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace wvds {
namespace {

int blocks_seen = 0;

// WitnessAllocator looks at each block when it comes back.
template <class T>
struct WitnessAllocator {
  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, size_t count) {
    ++blocks_seen;
    EXPECT_TRUE(std::all_of(memory, memory + count, [](T value) { return value == T{}; }));
    std::allocator<T>().deallocate(memory, count);
  }
};

TEST(WipingAllocator, WipesEveryBlockThatAGrowingVectorLeaves) {
  blocks_seen = 0;
  {
    std::vector<std::byte, WipingAllocator<std::byte, WitnessAllocator>> secret;
    for (int i = 0; i < 1000; ++i) secret.push_back(std::byte{0xa5});
  }
  EXPECT_GT(blocks_seen, 5);
}

TEST(WipedBuffer, TakesTextAndBytes) {
  WipedBuffer buffer;
  append(buffer, "ab");
  append(buffer, as_bytes("c"));
  append(buffer, Bytes());
  EXPECT_EQ(text_of(buffer), "abc");
}

}  // namespace
}  // namespace wvds
