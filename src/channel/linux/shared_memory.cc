#include "channel/linux/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/secret.h"
#include "channel/layout.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace wvds::channel {
namespace {

using platform::UniqueFd;

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;
constexpr int kAllSeals = kSizeSeals | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

std::string reason(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

// new_memfd: kernels from 6.3 on want to be told whether it may be executed, older ones refuse the flag.
UniqueFd new_memfd() {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(memfd_create("wvds-channel", kFlags | MFD_NOEXEC_SEAL));
  if (!fd && errno == EINVAL) fd.reset(memfd_create("wvds-channel", kFlags));
  return fd;
}

bool has_seals(int fd, int wanted) {
  const int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & wanted) == wanted;
}

}  // namespace

SharedMemory::SharedMemory(UniqueFd fd, std::byte* base, size_t size) : fd_(std::move(fd)), base_(base), size_(size) {}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  fd_ = std::move(other.fd_);
  base_ = std::exchange(other.base_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

SharedMemory::~SharedMemory() { unmap(); }

void SharedMemory::unmap() {
  if (base_ != nullptr) munmap(base_, size_);
  base_ = nullptr;
}

Result<SharedMemory> SharedMemory::map(UniqueFd fd, size_t size) {
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (base == MAP_FAILED) return fail(Status::kLimitReached, reason("shared memory can't be mapped"));
  SharedMemory memory(std::move(fd), static_cast<std::byte*>(base), size);
  if (madvise(base, size, MADV_DONTDUMP) != 0 || madvise(base, size, MADV_DONTFORK) != 0) {
    return fail(Status::kInternalError, reason("shared memory can't be kept out of core dumps and children"));
  }
  return memory;
}

Result<SharedMemory> SharedMemory::create(size_t size) {
  UniqueFd fd = new_memfd();
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return fail(Status::kLimitReached, reason("no shared memory"));
  }
  if (fcntl(fd.get(), F_ADD_SEALS, kSizeSeals) != 0) {
    return fail(Status::kInternalError, reason("shared memory can't be sealed"));
  }
  return map(std::move(fd), size);
}

Result<SharedMemory> SharedMemory::adopt(UniqueFd fd) {
  struct stat facts{};
  if (fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return fail(Status::kProtocolError, "not shared memory");
  const auto size = static_cast<size_t>(facts.st_size);
  if (size < region_size(1) || size > region_size(kMaxSlots))
    return fail(Status::kProtocolError, "shared memory's size");
  if (!has_seals(fd.get(), kSizeSeals)) return fail(Status::kProtocolError, "shared memory without seals");
  return map(std::move(fd), size);
}

Result<> SharedMemory::seal_for_good() {
  // the outcome of adding does not matter: the client may have added seals of its own choice before
  (void)fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
  if (!has_seals(fd_.get(), kAllSeals)) return fail(Status::kProtocolError, "shared memory can't be sealed");
  return {};
}

void SharedMemory::wipe() {
  const auto end = static_cast<off_t>(size_);
  off_t data = 0;
  while (data < end && (data = lseek(fd_.get(), data, SEEK_DATA)) >= 0) {
    off_t hole = lseek(fd_.get(), data, SEEK_HOLE);
    if (hole < 0) hole = end;
    secure_wipe(base_ + data, static_cast<size_t>(hole - data));
    data = hole;
  }
}

}  // namespace wvds::channel
