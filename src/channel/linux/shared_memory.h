#pragma once

#include <cstddef>

#include "base/result.h"
#include "platform/linux/unique_fd.h"

namespace wvds::channel {

// SharedMemory is one mapped memfd. Its seals are what lets either side touch it without fear of SIGBUS: nobody can
// change its size (SHRINK, GROW), and once the client has its mapping nobody can make another writable one or punch
// holes into it (FUTURE_WRITE), nor can seals change any more (SEAL). The mapping is kept out of core dumps and of
// children.
class SharedMemory {
 public:
  // create is the service's side: `size` zero bytes, a whole number of pages, sealed SHRINK and GROW. kLimitReached
  // when the system has no memory or descriptor left.
  static Result<SharedMemory> create(size_t size);

  // adopt is the client's side: it maps what the service sent after checking type, size and the two seals.
  // kProtocolError otherwise.
  static Result<SharedMemory> adopt(platform::UniqueFd fd);

  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  // seal_for_good adds the last two seals and reads all four back. It fails with kProtocolError when one is missing:
  // the client got in before.
  Result<> seal_for_good();

  std::byte* base() const { return base_; }
  size_t size() const { return size_; }
  int fd() const { return fd_.get(); }

  // wipe overwrites every page that ever got memory. Pages nobody touched stay without.
  void wipe();

 private:
  SharedMemory(platform::UniqueFd fd, std::byte* base, size_t size);
  static Result<SharedMemory> map(platform::UniqueFd fd, size_t size);
  void unmap();

  platform::UniqueFd fd_;
  std::byte* base_ = nullptr;
  size_t size_ = 0;
};

}  // namespace wvds::channel
