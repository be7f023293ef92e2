#include "channel/linux/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace wvds::channel {
namespace {

struct futex_waitv waiter(const void* word, uint32_t value, uint32_t flags) {
  struct futex_waitv entry{};
  entry.val = value;
  entry.uaddr = reinterpret_cast<uintptr_t>(word);
  entry.flags = FUTEX_32 | flags;
  return entry;
}

}  // namespace

void shared_wake(const Word& word) { syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

void shared_wait(const Word& word, Word value, std::chrono::nanoseconds limit) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timespec timeout{static_cast<time_t>(seconds.count()), static_cast<long>((limit - seconds).count())};
  syscall(SYS_futex, &word, FUTEX_WAIT, value, &timeout, nullptr, 0);
}

void private_wake(PrivateWord& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, 0);
}

void wait_for_either(const Word& shared, Word shared_value, const PrivateWord& own, uint32_t own_value) {
  struct futex_waitv entries[2] = {waiter(&shared, shared_value, 0), waiter(&own, own_value, FUTEX_PRIVATE_FLAG)};
  syscall(SYS_futex_waitv, entries, 2, 0, nullptr, 0);
}

// without entries the call fails for that reason; a kernel or a sandbox that does not have it says something else
bool has_wait_for_either() { return syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0) == -1 && errno == EINVAL; }

}  // namespace wvds::channel
