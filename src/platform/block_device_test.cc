#include "platform/block_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "platform/ram_block_device.h"
#include "platform/testing/fake_block_device.h"

namespace wvds::platform {
namespace {

using testing::after_power_cut;
using testing::BlockFaults;
using testing::FakeBlockDevice;
using testing::FakePlatter;

std::vector<std::byte> filled(size_t sectors, int value) {
  return std::vector<std::byte>(sectors * kSectorSize, static_cast<std::byte>(value));
}

// expect_checked_ranges: every implementation refuses what is not on a device of 8 sectors.
void expect_checked_ranges(BlockDevice& device) {
  constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();
  ASSERT_EQ(device.sectors(), 8u);
  auto two = filled(2, 1), nine = filled(9, 1);
  EXPECT_TRUE(device.write(6, two));
  EXPECT_TRUE(device.read(6, two));
  EXPECT_TRUE(device.read(8, {}));
  for (const uint64_t first : {uint64_t{7}, uint64_t{8}, uint64_t{9}, kHuge, kHuge - 1, kHuge / kSectorSize}) {
    const auto refused = device.write(first, two);
    ASSERT_FALSE(refused.has_value()) << first;
    EXPECT_EQ(refused.error().status, Status::kStorageError);
    EXPECT_NE(refused.error().detail.find(device.name()), std::string::npos);
    EXPECT_FALSE(device.read(first, two)) << first;
  }
  EXPECT_FALSE(device.read(0, nine));
  EXPECT_FALSE(device.write(0, nine));
  EXPECT_FALSE(device.read(0, MutableBytes(two).first(kSectorSize - 1)));
  EXPECT_FALSE(device.write(0, Bytes(two).first(kSectorSize + 1)));
}

TEST(RamBlockDevice, KeepsSectorsInTheCallersMemory) {
  std::vector<std::byte> memory(8 * kSectorSize);
  RamBlockDevice device("ram", memory);
  ASSERT_TRUE(device.write(3, filled(2, 7)));
  EXPECT_TRUE(device.flush(FlushPoint::kOpened));
  EXPECT_EQ(memory[3 * kSectorSize - 1], std::byte{0});
  EXPECT_EQ(memory[3 * kSectorSize], std::byte{7});
  EXPECT_EQ(memory[5 * kSectorSize - 1], std::byte{7});
  EXPECT_EQ(memory[5 * kSectorSize], std::byte{0});
  auto out = filled(2, 0);
  ASSERT_TRUE(device.read(3, out));
  EXPECT_EQ(out, filled(2, 7));
}

TEST(RamBlockDevice, RefusesWhatIsNotOnIt) {
  std::vector<std::byte> memory(8 * kSectorSize + 100);
  RamBlockDevice device("ram", memory);
  expect_checked_ranges(device);
}

TEST(FakeBlockDevice, RefusesWhatIsNotOnIt) {
  FakePlatter platter(8);
  BlockFaults faults;
  FakeBlockDevice device("fake", platter, faults);
  expect_checked_ranges(device);
}

// The content of sector 1 in all sampled futures: by its first byte, or none.
std::set<std::optional<int>> futures_of(const FakePlatter& platter) {
  std::set<std::optional<int>> out;
  for (FakePlatter future : after_power_cut(platter, 300, 1)) {
    BlockFaults faults;
    FakeBlockDevice device("fake", future, faults);
    auto sector = filled(1, 0);
    out.insert(device.read(1, sector) ? std::optional(std::to_integer<int>(sector.front())) : std::nullopt);
  }
  return out;
}

TEST(FakeBlockDevice, MayLoseKeepOrTearWhatWasNotFlushed) {
  FakePlatter platter(8);
  BlockFaults faults;
  FakeBlockDevice device("fake", platter, faults);
  ASSERT_TRUE(device.write(1, filled(1, 1)));
  ASSERT_TRUE(device.flush(FlushPoint::kContent));
  EXPECT_EQ(futures_of(platter), (std::set<std::optional<int>>{1}));
  ASSERT_TRUE(device.write(1, filled(1, 2)));
  ASSERT_TRUE(device.write(1, filled(1, 3)));
  EXPECT_EQ(futures_of(platter), (std::set<std::optional<int>>{std::nullopt, 0, 1, 2, 3, 0xa5}))
      << "also the older of two writes may be the one that is kept, and none may be readable";
}

TEST(FakeBlockDevice, MayTearNeighboursWithinARealSector) {
  FakePlatter platter(16);
  BlockFaults faults;
  FakeBlockDevice device("fake", platter, faults);
  ASSERT_TRUE(device.write(0, filled(16, 1)));
  ASSERT_TRUE(device.flush(FlushPoint::kContent));
  ASSERT_TRUE(device.write(2, filled(1, 2)));
  const auto spoiled = [&](size_t real_sectors, size_t sector) {
    return std::ranges::any_of(after_power_cut(platter, 300, 1, real_sectors),
                               [sector](const FakePlatter& future) { return !future.durable[sector]; });
  };
  EXPECT_TRUE(spoiled(8, 1));
  EXPECT_FALSE(spoiled(8, 8));
  EXPECT_FALSE(spoiled(1, 1));
  EXPECT_TRUE(spoiled(1, 2));
}

TEST(FakeBlockDevice, LeavesOutTheFlushThatIsNamed) {
  FakePlatter platter(8);
  BlockFaults faults{.ignored_flush = FlushPoint::kContent};
  FakeBlockDevice device("fake", platter, faults);
  ASSERT_TRUE(device.write(1, filled(1, 1)));
  ASSERT_TRUE(device.flush(FlushPoint::kContent));
  EXPECT_EQ(platter.unflushed.size(), 1u);
  ASSERT_TRUE(device.flush(FlushPoint::kDirectory));
  EXPECT_TRUE(platter.unflushed.empty());
}

TEST(FakeBlockDevice, DropsWhatAFailedFlushWasToKeep) {
  FakePlatter platter(8);
  BlockFaults faults{.failing_flush = FlushPoint::kContent};
  FakeBlockDevice device("fake", platter, faults);
  ASSERT_TRUE(device.write(1, filled(1, 1)));
  EXPECT_FALSE(device.flush(FlushPoint::kContent));
  ASSERT_TRUE(device.flush(FlushPoint::kDirectory));
  EXPECT_EQ(futures_of(platter), (std::set<std::optional<int>>{0}));
}

}  // namespace
}  // namespace wvds::platform
