#include "platform/block_device.h"

namespace wvds::platform {

const char* flush_point_name(FlushPoint point) {
  switch (point) {
    case FlushPoint::kFormatted: return "formatted";
    case FlushPoint::kOpened: return "opened";
    case FlushPoint::kRepaired: return "repaired";
    case FlushPoint::kContent: return "content";
    case FlushPoint::kDirectory: return "directory";
  }
  return "unknown";
}

Result<> check_sectors(const BlockDevice& device, uint64_t first, size_t size) {
  if (size % kSectorSize != 0)
    return fail(Status::kStorageError, device.name() + ": " + std::to_string(size) + " bytes are no whole sectors");
  const uint64_t count = size / kSectorSize;
  if (first > device.sectors() || count > device.sectors() - first) {
    return fail(Status::kStorageError, device.name() + ": sectors " + std::to_string(first) + " to " +
                                           std::to_string(first + count) + " of " + std::to_string(device.sectors()) +
                                           " do not exist");
  }
  return {};
}

}  // namespace wvds::platform
