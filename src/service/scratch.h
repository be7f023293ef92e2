#pragma once

#include <memory>

#include "base/bytes.h"
#include "protocol/frame.h"

namespace wvds::service {

// Scratch is a worker's private memory for one request at a time: what a client may not change while it is looked at is
// copied here, and what a client may not see before it is finished is made here. Allocated once; wiped after each
// request as far as it was used. It is ordinary memory, not locked: what passes through it stands in the shared region
// too, and long-lived secrets never come here.
class Scratch {
 public:
  Scratch();
  ~Scratch() { wipe(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // take hands out `size` bytes of unspecified content, copy_in a copy of `source`, both valid until wipe().
  // kInternalError when there is no room, which no request can bring about: a whole payload, copied, and a whole answer
  // fit.
  Result<MutableBytes> take(size_t size);
  Result<MutableBytes> copy_in(UntrustedBytes source);

  void wipe();

 private:
  static constexpr size_t kCapacity = protocol::kRequestArea + protocol::kAnswerArea + size_t{16} * 1024;

  std::unique_ptr<std::byte[]> memory_;
  size_t used_ = 0;
};

}  // namespace wvds::service
