#pragma once

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "platform/block_device.h"

// A block device in memory with a volatile write cache: after a power cut each sector that was not flushed may hold its
// old content, any newer one, a mixture, or nothing that can be read. Only what BlockDevice promises is promised.
namespace wvds::platform::testing {

using Sector = std::array<std::byte, kSectorSize>;

// FakeSector is empty where it can't be read.
using FakeSector = std::optional<Sector>;

struct FakeWrite {
  uint64_t first = 0;
  std::vector<Sector> content;
};

// FakePlatter is a device's state. A value: copy it to try several futures.
struct FakePlatter {
  explicit FakePlatter(size_t sectors) : cached(sectors, Sector{}), durable(sectors, Sector{}) {}

  std::vector<FakeSector> cached;    // what programs see
  std::vector<FakeSector> durable;   // what a power cut can't take
  std::vector<FakeWrite> unflushed;  // writes since then, in their order
};

// after_power_cut gives `count` states that may be found when the power comes back: nothing unflushed is left, all of
// it is, and a sample that depends on `seed` only. A torn sector may spoil others of the same `real_sectors` aligned
// ones, also such as were not being written.
std::vector<FakePlatter> after_power_cut(const FakePlatter& platter, size_t count, uint64_t seed,
                                         size_t real_sectors = 8);

// BlockFaults decide what goes wrong. May be shared by several devices, so that one count of steps runs over all.
struct BlockFaults {
  static constexpr size_t kNever = SIZE_MAX;

  size_t steps = 0;                 // reads, writes and flushes tried so far
  size_t power_off_at = kNever;     // this step is cut short, and from then on nothing works and nothing changes
  size_t fail_at = kNever;          // this one step fails; a write may have changed some of its sectors
  size_t full_from = kNever;        // from this step on no write finds room (a device with less behind it than it says)
  bool read_only = false;           // every write fails
  bool failing_flush_drops = true;  // what a failing flush was to make durable stays in the cache for good
  uint64_t seed = 0;                // decides how much of a write that fails is done
  std::optional<FlushPoint> ignored_flush = std::nullopt;  // reports success and does nothing
  std::optional<FlushPoint> failing_flush = std::nullopt;

  bool power_is_off() const { return steps > power_off_at; }
};

class FakeBlockDevice : public BlockDevice {
 public:
  // Both must outlive the device. A second device on the same platter is a second process, or the same after a restart.
  FakeBlockDevice(std::string name, FakePlatter& platter, BlockFaults& faults)
      : name_(std::move(name)), platter_(platter), faults_(faults) {}

  const std::string& name() const override { return name_; }
  uint64_t sectors() const override { return platter_.cached.size(); }
  Result<> read(uint64_t first, MutableBytes out) override;
  Result<> write(uint64_t first, Bytes content) override;
  Result<> flush(FlushPoint point) override;

 private:
  Result<> step(std::string_view what);
  Result<> write_step();
  void store(uint64_t first, Bytes content);

  const std::string name_;
  FakePlatter& platter_;
  BlockFaults& faults_;
};

}  // namespace wvds::platform::testing
