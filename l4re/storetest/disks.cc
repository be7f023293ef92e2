#include "l4re/storetest/disks.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "platform/l4re/block_device.h"

namespace {

using wvds::platform::BlockDevice;
using wvds::platform::FlushPoint;
using wvds::platform::kSectorSize;

static_assert(MARK_SIZE == kSectorSize);

int complain(const wvds::Error& error) {
  std::printf("storetest: %s\n", error.detail.c_str());
  return 0;
}

}  // namespace

int marks_write(const char* line) {
  static auto disk = wvds::platform::open_block_device("/cap/marks");
  static uint64_t next = 0;
  if (!disk) return complain(disk.error());
  std::array<std::byte, kSectorSize> sector{};
  std::memcpy(sector.data(), line, std::strlen(line));
  const auto written = (*disk)->write(next++ % (*disk)->sectors(), sector);
  return written ? 1 : complain(written.error());
}

int readonly_holds() {
  const auto disk = wvds::platform::open_block_device("/cap/readonly");
  if (!disk) return complain(disk.error());
  std::array<std::byte, kSectorSize> sector{};
  const auto written = (*disk)->write(0, sector);
  if (written || written.error().detail != "/cap/readonly: the device can't be written: it is read-only") {
    std::printf("storetest: the read-only disk did not refuse a write as such\n");
    return 0;
  }
  const auto flushed = (*disk)->flush(FlushPoint::kOpened);
  const auto read = (*disk)->read(0, sector);
  if (!flushed) return complain(flushed.error());
  return read ? 1 : complain(read.error());
}
