#pragma once

#include <l4/re/dataspace>
#include <l4/re/mem_alloc>
#include <l4/re/rm>
#include <l4/re/util/unique_cap>

#include "base/result.h"
#include "channel/layout.h"

namespace wvds::channel {

// SharedRegion is a session's dataspace, attached to this task. All its pages are mapped at once: a later page fault
// would be somebody else's to answer.
class SharedRegion {
 public:
  // create takes the memory from `quota`. kLimitReached when that has no more.
  static Result<SharedRegion> create(L4::Cap<L4Re::Mem_alloc> quota, uint32_t slots, uint64_t epoch);

  // adopt attaches the dataspace in `capability`, which it owns from then on. kProtocolError unless it holds a region.
  static Result<SharedRegion> adopt(L4Re::Util::Unique_cap<L4Re::Dataspace> capability);

  Region region() const { return Region(memory_.get(), info_.slot_count); }
  uint64_t epoch() const { return info_.epoch; }
  L4::Cap<L4Re::Dataspace> capability() const { return capability_.get(); }

  void wipe();

 private:
  Result<> attach(size_t size);

  L4Re::Util::Unique_cap<L4Re::Dataspace> capability_;
  L4Re::Rm::Unique_region<std::byte*> memory_;
  RegionInfo info_;
};

}  // namespace wvds::channel
