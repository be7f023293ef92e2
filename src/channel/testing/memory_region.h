#pragma once

#include <memory>

#include "channel/layout.h"

namespace wvds::channel::testing {

// MemoryRegion is a region in ordinary memory, for both halves of the slots in one thread.
class MemoryRegion {
 public:
  explicit MemoryRegion(uint32_t slots)
      : pages_(std::make_unique<Page[]>(region_size(slots) / kPageSize)), region_(pages_[0].bytes, slots) {}

  Region region() const { return region_; }

 private:
  struct alignas(kPageSize) Page {
    std::byte bytes[kPageSize];
  };
  std::unique_ptr<Page[]> pages_;
  Region region_;
};

}  // namespace wvds::channel::testing
