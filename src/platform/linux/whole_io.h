#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.h"

// System calls that go on where a signal or the kernel interrupted them. On failure errno tells why.
namespace wvds::platform {

// retried repeats a call as long as a signal interrupts it.
template <class Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// write_whole is false when not everything could be written; some of it may have been.
inline bool write_whole(int fd, Bytes content) {
  while (!content.empty()) {
    const ssize_t count = retried([&] { return ::write(fd, content.data(), content.size()); });
    if (count < 0) return false;
    content = content.subspan(static_cast<size_t>(count));
  }
  return true;
}

// read_whole fills `out` and returns how much it read: less only at the end of the file, -1 on failure.
inline ssize_t read_whole(int fd, MutableBytes out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = retried([&] { return ::read(fd, out.data() + done, out.size() - done); });
    if (count < 0) return -1;
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(done);
}

}  // namespace wvds::platform
