#include "channel/linux/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "channel/layout.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;

// SealsTest has both sides of a region: the service's memory and what a hostile client does to the same file.
class SealsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    memory_ = SharedMemory::create(kSize).value();
    client_ = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.fd(), 0);
    ASSERT_NE(client_, MAP_FAILED);
    std::memset(client_, 7, kSize);
  }
  void TearDown() override { munmap(client_, kSize); }

  bool punch_hole() { return fallocate(memory_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageSize) == 0; }
  bool remove_page() { return madvise(static_cast<std::byte*>(client_) + kPageSize, kPageSize, MADV_REMOVE) == 0; }
  bool resize(size_t size) { return ftruncate(memory_.fd(), static_cast<off_t>(size)) == 0; }
  bool map_writable() {
    void* map = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.fd(), 0);
    if (map == MAP_FAILED) return false;
    munmap(map, kSize);
    return true;
  }
  bool map_readable_then_writable() {
    void* map = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, memory_.fd(), 0);
    if (map == MAP_FAILED) return false;
    const bool changed = mprotect(map, kSize, PROT_READ | PROT_WRITE) == 0;
    munmap(map, kSize);
    return changed;
  }
  bool write_by_call() { return pwrite(memory_.fd(), "x", 1, 0) == 1; }

  static constexpr size_t kSize = region_size(1);
  SharedMemory memory_;
  void* client_ = nullptr;
};

TEST_F(SealsTest, FixTheSizeFromTheBeginning) {
  EXPECT_FALSE(resize(kSize - kPageSize)) << "SHRINK: the other side would get SIGBUS";
  EXPECT_FALSE(resize(kSize + kPageSize)) << "GROW";
}

// Each of these works without the last two seals, so each is what they are there for.
TEST_F(SealsTest, LeaveTheClientFreeUntilItHasItsMapping) {
  EXPECT_TRUE(punch_hole());
  EXPECT_TRUE(remove_page());
  EXPECT_TRUE(map_writable());
  EXPECT_TRUE(map_readable_then_writable());
  EXPECT_TRUE(write_by_call());
}

TEST_F(SealsTest, ForbidEverythingButTheMappingsOnceComplete) {
  ASSERT_TRUE(memory_.seal_for_good().has_value());
  EXPECT_FALSE(punch_hole());
  EXPECT_FALSE(remove_page());
  EXPECT_FALSE(map_writable());
  EXPECT_FALSE(map_readable_then_writable());
  EXPECT_FALSE(write_by_call());
  EXPECT_FALSE(resize(kSize - kPageSize));
  EXPECT_FALSE(resize(kSize + kPageSize));
  EXPECT_NE(fcntl(memory_.fd(), F_ADD_SEALS, F_SEAL_WRITE), 0) << "SEAL: nothing can be added any more";
  static_cast<std::byte*>(client_)[5] = std::byte{1};
  EXPECT_EQ(memory_.base()[5], std::byte{1}) << "the mappings that exist still share";
}

TEST_F(SealsTest, AreReadBackSoThatAClientThatSealedFirstIsNoticed) {
  ASSERT_EQ(fcntl(memory_.fd(), F_ADD_SEALS, F_SEAL_SEAL), 0);
  EXPECT_EQ(memory_.seal_for_good().error().status, Status::kProtocolError);
}

TEST_F(SealsTest, MayBeAddedByAClientToo) {
  ASSERT_EQ(fcntl(memory_.fd(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL), 0);
  EXPECT_TRUE(memory_.seal_for_good().has_value());
}

TEST(SharedMemoryCreate, FailsWithoutMemory) {
  EXPECT_EQ(SharedMemory::create(size_t{1} << 62).error().status, Status::kLimitReached);
}

// flags_of reads the kernel's list of a mapping's flags: dd is "not in core dumps", dc "not in children".
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  char start[32];
  std::snprintf(start, sizeof start, "%lx-", reinterpret_cast<unsigned long>(address));
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with(start)) inside = true;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST(SharedMemoryCreate, KeepsTheMappingOutOfCoreDumpsAndChildren) {
  const auto memory = SharedMemory::create(region_size(1)).value();
  const std::string flags = flags_of(memory.base());
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  EXPECT_NE(flags.find(" dc "), std::string::npos) << flags;
}

UniqueFd memfd(size_t size, int seals) {
  UniqueFd fd(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(size)), 0);
  EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

TEST(SharedMemoryAdopt, TakesAFileThatCanNeitherShrinkNorGrow) {
  auto memory = SharedMemory::adopt(memfd(region_size(2), F_SEAL_SHRINK | F_SEAL_GROW));
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->size(), region_size(2));
}

TEST(SharedMemoryAdopt, RefusesMissingSeals) {
  for (int seals : {0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL}) {
    EXPECT_EQ(SharedMemory::adopt(memfd(region_size(1), seals)).error().status, Status::kProtocolError) << seals;
  }
}

TEST(SharedMemoryAdopt, RefusesSizesThatNoRegionHas) {
  for (size_t size : {size_t{0}, kPageSize, region_size(1) - 1, region_size(kMaxSlots) + kPageSize}) {
    const auto memory = SharedMemory::adopt(memfd(size, F_SEAL_SHRINK | F_SEAL_GROW));
    EXPECT_EQ(memory.error().status, Status::kProtocolError) << size;
  }
}

TEST(SharedMemoryAdopt, RefusesWhatIsNoMemory) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe(ends), 0);
  UniqueFd other(ends[1]);
  EXPECT_EQ(SharedMemory::adopt(UniqueFd(ends[0])).error().status, Status::kProtocolError);
  EXPECT_EQ(SharedMemory::adopt(UniqueFd()).error().status, Status::kProtocolError);
}

TEST(SharedMemoryWipe, OverwritesWhatWasTouchedAndAllocatesNothing) {
  auto memory = SharedMemory::create(region_size(8)).value();
  memory.base()[10] = std::byte{1};
  memory.base()[region_size(8) - 1] = std::byte{2};
  memory.base()[20 * kPageSize] = std::byte{3};
  struct stat before{};
  ASSERT_EQ(fstat(memory.fd(), &before), 0);
  ASSERT_TRUE(memory.seal_for_good().has_value());
  memory.wipe();
  EXPECT_EQ(memory.base()[10], std::byte{0});
  EXPECT_EQ(memory.base()[region_size(8) - 1], std::byte{0});
  EXPECT_EQ(memory.base()[20 * kPageSize], std::byte{0});
  struct stat after{};
  ASSERT_EQ(fstat(memory.fd(), &after), 0);
  EXPECT_EQ(after.st_blocks, before.st_blocks);
}

TEST(SharedMemoryWipe, ReachesTheEndOfAFullRegion) {
  auto memory = SharedMemory::create(region_size(1)).value();
  std::memset(memory.base(), 0xaa, memory.size());
  memory.wipe();
  EXPECT_TRUE(
      std::all_of(memory.base(), memory.base() + memory.size(), [](std::byte byte) { return byte == std::byte{0}; }));
}

}  // namespace
}  // namespace wvds::channel
