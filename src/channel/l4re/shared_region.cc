#include "channel/l4re/shared_region.h"

#include <l4/re/env>
#include <l4/re/util/cap_alloc>
#include <utility>

#include "base/secret.h"

namespace wvds::channel {

Result<> SharedRegion::attach(size_t size) {
  using Flags = L4Re::Rm::F;
  const long error = L4Re::Env::env()->rm()->attach(&memory_, size, Flags::Search_addr | Flags::Eager_map | Flags::RW,
                                                    L4::Ipc::make_cap_rw(capability_.get()));
  // pages that a quota has no room for are missed here only
  if (error == -L4_ENOMEM) return fail(Status::kLimitReached, "the client's memory quota has no room for a session");
  if (error < 0) return fail(Status::kInternalError, "the region can't be attached: " + std::to_string(error));
  return {};
}

Result<SharedRegion> SharedRegion::create(L4::Cap<L4Re::Mem_alloc> quota, uint32_t slots, uint64_t epoch) {
  SharedRegion made;
  made.capability_ = L4Re::Util::make_unique_cap<L4Re::Dataspace>();
  if (!made.capability_.is_valid()) return fail(Status::kLimitReached, "no capability slot left");
  if (const long error = quota->alloc(static_cast<long>(region_size(slots)), made.capability_.get()); error < 0) {
    return fail(Status::kLimitReached, "the client's memory quota has no room for a session");
  }
  WVDS_TRY(made.attach(region_size(slots)));
  made.info_ = RegionInfo{slots, epoch};
  write_header(made.memory_.get(), slots, epoch);
  return made;
}

Result<SharedRegion> SharedRegion::adopt(L4Re::Util::Unique_cap<L4Re::Dataspace> capability) {
  SharedRegion adopted;
  adopted.capability_ = std::move(capability);
  const long size = adopted.capability_->size();
  if (size < static_cast<long>(region_size(1)) || size > static_cast<long>(region_size(kMaxSlots))) {
    return fail(Status::kProtocolError, "the service's region has an impossible size");
  }
  WVDS_TRY(adopted.attach(static_cast<size_t>(size)));
  WVDS_ASSIGN(info, read_header(adopted.memory_.get(), static_cast<size_t>(size)));
  adopted.info_ = info;
  return adopted;
}

void SharedRegion::wipe() { secure_wipe(memory_.get(), region_size(info_.slot_count)); }

}  // namespace wvds::channel
