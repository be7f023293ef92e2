#include "platform/testing/fake_block_device.h"

#include <algorithm>
#include <numeric>

namespace wvds::platform::testing {
namespace {

using Random = std::mt19937_64;

// Fate is what a power cut makes of one write; of a scattered one each sector has a fate of its own.
enum class Fate : uint8_t { kLost, kKept, kTorn, kScattered };

Fate any_fate(Random& random, Fate highest) {
  return static_cast<Fate>(random() % (static_cast<uint64_t>(highest) + 1));
}

FakeSector torn(const FakeSector& before, const Sector& after, Random& random) {
  const size_t cut = random() % (kSectorSize + 1);
  Sector mixed = before.value_or(Sector{});
  switch (random() % 4) {
    case 0: return std::nullopt;
    case 1: std::ranges::copy(after.begin(), after.begin() + cut, mixed.begin()); return mixed;
    case 2: std::ranges::copy(after.begin() + cut, after.end(), mixed.begin() + cut); return mixed;
    default: mixed.fill(std::byte{0xa5}); return mixed;
  }
}

// Settling works out one state, sector by sector.
struct Settling {
  std::vector<FakeSector> sectors;
  size_t real_sectors;
  Random& random;

  // A real sector that is torn may lose what it held of others, whether they were being written or not.
  void spoil_neighbours(uint64_t number) {
    if (random() % 4 != 0) return;
    const uint64_t first = number / real_sectors * real_sectors;
    for (uint64_t i = first; i < std::min<uint64_t>(first + real_sectors, sectors.size()); ++i) {
      if (i != number && random() % 2 == 0) sectors[i] = std::nullopt;
    }
  }

  void settle(uint64_t number, const Sector& content, Fate fate) {
    if (fate == Fate::kKept) sectors[number] = content;
    if (fate != Fate::kTorn) return;
    sectors[number] = torn(sectors[number], content, random);
    spoil_neighbours(number);
  }

  void settle(const FakeWrite& write, Fate fate) {
    for (size_t i = 0; i < write.content.size(); ++i) {
      settle(write.first + i, write.content[i], fate == Fate::kScattered ? any_fate(random, Fate::kTorn) : fate);
    }
  }
};

FakePlatter powered_on(std::vector<FakeSector> sectors) {
  FakePlatter out(0);
  out.durable = sectors;
  out.cached = std::move(sectors);
  return out;
}

std::vector<FakeSector> sample(const FakePlatter& platter, size_t real_sectors, Random& random) {
  std::vector<size_t> order(platter.unflushed.size());
  std::iota(order.begin(), order.end(), 0);
  if (random() % 2 == 0) std::ranges::shuffle(order, random);
  Settling settling{platter.durable, real_sectors, random};
  for (const size_t i : order) settling.settle(platter.unflushed[i], any_fate(random, Fate::kScattered));
  return std::move(settling.sectors);
}

}  // namespace

std::vector<FakePlatter> after_power_cut(const FakePlatter& platter, size_t count, uint64_t seed, size_t real_sectors) {
  std::vector<FakePlatter> out;
  out.push_back(powered_on(platter.durable));
  if (platter.unflushed.empty()) return out;
  Random random(seed);
  Settling all{platter.durable, real_sectors, random};
  for (const FakeWrite& write : platter.unflushed) all.settle(write, Fate::kKept);
  out.push_back(powered_on(std::move(all.sectors)));
  while (out.size() < count) out.push_back(powered_on(sample(platter, real_sectors, random)));
  return out;
}

Result<> FakeBlockDevice::step(std::string_view what) {
  const size_t number = faults_.steps++;
  const std::string where = name_ + ": cannot " + std::string(what);
  if (number >= faults_.power_off_at) return fail(Status::kStorageError, where + ": the power is off");
  if (number == faults_.fail_at) return fail(Status::kStorageError, where + ": made to fail");
  return {};
}

Result<> FakeBlockDevice::write_step() {
  const size_t number = faults_.steps;
  WVDS_TRY(step("write"));
  if (faults_.read_only) return fail(Status::kStorageError, name_ + ": cannot write: read-only");
  if (number >= faults_.full_from) return fail(Status::kStorageError, name_ + ": cannot write: no space left");
  return {};
}

void FakeBlockDevice::store(uint64_t first, Bytes content) {
  FakeWrite write{first, {}};
  for (size_t at = 0; at < content.size(); at += kSectorSize) {
    Sector sector{};
    copy_bytes(content.subspan(at, kSectorSize), sector);
    platter_.cached[first + at / kSectorSize] = sector;
    write.content.push_back(sector);
  }
  platter_.unflushed.push_back(std::move(write));
}

Result<> FakeBlockDevice::read(uint64_t first, MutableBytes out) {
  WVDS_TRY(check_sectors(*this, first, out.size()));
  WVDS_TRY(step("read"));
  for (size_t at = 0; at < out.size(); at += kSectorSize) {
    const FakeSector& sector = platter_.cached[first + at / kSectorSize];
    if (!sector) return fail(Status::kStorageError, name_ + ": cannot read: a sector is damaged");
    copy_bytes(*sector, out.subspan(at, kSectorSize));
  }
  return {};
}

// A write that does not succeed was done for none, some or all of its sectors.
Result<> FakeBlockDevice::write(uint64_t first, Bytes content) {
  WVDS_TRY(check_sectors(*this, first, content.size()));
  const bool cut_short = faults_.steps == faults_.power_off_at || faults_.steps == faults_.fail_at;
  auto done = write_step();
  if (done) {
    store(first, content);
  } else if (cut_short) {
    Random random(faults_.seed * 1000003 + faults_.steps);
    const size_t sectors = content.size() / kSectorSize;
    const size_t choices[] = {0, sectors, random() % (sectors + 1)};
    store(first, content.first(choices[random() % 3] * kSectorSize));
  }
  return done;
}

Result<> FakeBlockDevice::flush(FlushPoint point) {
  auto done = step("flush");
  if (done && faults_.failing_flush == point)
    done = fail(Status::kStorageError, name_ + ": cannot flush: made to fail");
  if (!done) {
    if (!faults_.power_is_off() && faults_.failing_flush_drops) platter_.unflushed.clear();
    return done;
  }
  if (faults_.ignored_flush == point) return {};
  for (const FakeWrite& write : platter_.unflushed) {
    for (size_t i = 0; i < write.content.size(); ++i) platter_.durable[write.first + i] = write.content[i];
  }
  platter_.unflushed.clear();
  return {};
}

}  // namespace wvds::platform::testing
