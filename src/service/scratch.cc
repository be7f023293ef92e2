#include "service/scratch.h"

#include "base/secret.h"

namespace wvds::service {

// Not zeroed: pages that no request needs are never touched.
Scratch::Scratch() : memory_(std::make_unique_for_overwrite<std::byte[]>(kCapacity)) {}

Result<MutableBytes> Scratch::take(size_t size) {
  if (size > kCapacity - used_) return fail(Status::kInternalError, "scratch memory exhausted");
  const MutableBytes taken(memory_.get() + used_, size);
  used_ += size;
  return taken;
}

Result<MutableBytes> Scratch::copy_in(UntrustedBytes source) {
  WVDS_ASSIGN(target, take(source.size()));
  return source.copy_to(target);
}

void Scratch::wipe() {
  secure_wipe(memory_.get(), used_);
  used_ = 0;
}

}  // namespace wvds::service
