#include "platform/ram_block_device.h"

namespace wvds::platform {

Result<> RamBlockDevice::read(uint64_t first, MutableBytes out) {
  WVDS_TRY(check_sectors(*this, first, out.size()));
  copy_bytes(memory_.subspan(first * kSectorSize, out.size()), out);
  return {};
}

Result<> RamBlockDevice::write(uint64_t first, Bytes content) {
  WVDS_TRY(check_sectors(*this, first, content.size()));
  copy_bytes(content, memory_.subspan(first * kSectorSize, content.size()));
  return {};
}

}  // namespace wvds::platform
