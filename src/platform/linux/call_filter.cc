#include "platform/linux/call_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>

#include "base/handle.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41  // since Linux 5.17
#endif

namespace wvds::platform {
namespace {

using Filter = Handle<void, seccomp_release>;

// What pthread_create asks of clone: a thread of this process, and nothing that a process of its own would be.
constexpr uint64_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                  CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

std::unexpected<Error> refused(const std::string& what, int code) {
  return fail(Status::kInternalError, "the system call filter can't be made: " + what + ": " + std::strerror(-code));
}

// Conditions on an argument, by its number. SCMP_A0 and the like leave a field out, which compilers warn of.
constexpr scmp_arg_cmp is(unsigned argument, uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
constexpr scmp_arg_cmp is_not(unsigned argument, uint64_t value) { return {argument, SCMP_CMP_NE, value, 0}; }
constexpr scmp_arg_cmp has(unsigned argument, uint64_t mask, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// Builder collects rules; the first one that fails is told in the end. A call that this architecture does not have is
// no failure.
class Builder {
 public:
  static Result<Builder> make(uint32_t default_action) {
    Builder out(seccomp_init(default_action));
    if (!out.filter_) return fail(Status::kInternalError, "no memory for the system call filter");
    out.set(SCMP_FLTATR_CTL_TSYNC, 1);
    out.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    out.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return out;
  }

  void set(scmp_filter_attr attribute, uint32_t value) {
    note("an attribute", seccomp_attr_set(filter_.get(), attribute, value));
  }

  // add takes at most one condition on each argument.
  void add(uint32_t action, const char* call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number < 0) return;
    note(call, seccomp_rule_add_array(filter_.get(), action, number, static_cast<unsigned>(conditions.size()),
                                      conditions.begin()));
  }

  Result<> load() {
    if (code_ != 0) return refused(failed_, code_);
    if (const int code = seccomp_load(filter_.get()); code != 0)
      return refused("the kernel refuses it (where a service manager filters too, it must let \"seccomp\" through)",
                     code);
    return {};
  }

 private:
  explicit Builder(scmp_filter_ctx filter) : filter_(filter) {}

  void note(const char* what, int code) {
    if (code == 0 || code_ != 0) return;
    code_ = code;
    failed_ = what;
  }

  Filter filter_;
  int code_ = 0;
  std::string failed_;
};

void add_mappings(Builder& filter, Confined kind) {
  const scmp_arg_cmp executable = has(2, PROT_EXEC, PROT_EXEC);
  const scmp_arg_cmp data = has(2, PROT_EXEC, 0);
  filter.add(SCMP_ACT_ALLOW, "mprotect", {data});
  filter.add(SCMP_ACT_ERRNO(EPERM), "mprotect", {executable});
  filter.add(SCMP_ACT_ALLOW, "mmap", {data});
  if (kind != Confined::kTokenModule) return filter.add(SCMP_ACT_ERRNO(EPERM), "mmap", {executable});
  filter.add(SCMP_ACT_ALLOW, "mmap", {executable, has(3, MAP_ANONYMOUS, 0)});
  filter.add(SCMP_ACT_ERRNO(EPERM), "mmap", {executable, has(3, MAP_ANONYMOUS, MAP_ANONYMOUS)});
}

// clone3 is let through here because another filter refuses it: see refuse_clone3.
void add_threads(Builder& filter, uint32_t lethal) {
  filter.add(SCMP_ACT_ALLOW, "clone", {is(0, kThreadFlags)});
  filter.add(lethal, "clone", {is_not(0, kThreadFlags)});
  filter.add(SCMP_ACT_ALLOW, "clone3");
  filter.add(SCMP_ACT_ALLOW, "tgkill", {is(0, static_cast<uint64_t>(getpid()))});
}

// A service reads limits of its own, and names threads and memory. Of a terminal it wants that a PIN is not shown.
void add_settings(Builder& filter) {
  for (const unsigned long request : {TCGETS, TCSETS, TCSETSW, TCSETSF, FIONREAD, FIONBIO})
    filter.add(SCMP_ACT_ALLOW, "ioctl", {is(1, request)});
  for (const int option : {PR_SET_NAME, PR_SET_VMA, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS})
    filter.add(SCMP_ACT_ALLOW, "prctl", {is(0, static_cast<uint64_t>(option))});
  filter.add(SCMP_ACT_ALLOW, "prlimit64", {is(0, 0), is(2, 0)});
}

void add_families(Builder& filter, const CallRules& rules) {
  filter.add(SCMP_ACT_ALLOW, "socket", {is(0, AF_UNIX)});
  if (!rules.network && rules.kind != Confined::kTokenModule) return;
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK})
    filter.add(SCMP_ACT_ALLOW, "socket", {is(0, static_cast<uint64_t>(family))});
}

// refuse_clone3: its flags lie in memory, where no filter sees them; without it the C library takes clone. A filter of
// its own, since this refusal is as it should be, and the other's are logged.
Result<> refuse_clone3() {
  WVDS_ASSIGN(filter, Builder::make(SCMP_ACT_ALLOW));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  return filter.load();
}

}  // namespace

bool kernel_has_filters() { return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0; }

Result<> filter_calls(const CallRules& rules) {
  WVDS_TRY(refuse_clone3());
  const uint32_t lethal = rules.kind == Confined::kTokenModule ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS;
  WVDS_ASSIGN(filter, Builder::make(SCMP_ACT_ERRNO(ENOSYS)));
  filter.set(SCMP_FLTATR_CTL_LOG, 1);
  for (const CallGroup& group : allowed_calls()) {
    if (!group.is_for(rules.kind)) continue;
    for (const char* call : group.calls) filter.add(SCMP_ACT_ALLOW, call);
  }
  for (const CallGroup& group : lethal_calls()) {
    for (const char* call : group.calls) filter.add(lethal, call);
  }
  add_mappings(filter, rules.kind);
  add_threads(filter, lethal);
  add_families(filter, rules);
  if (rules.kind != Confined::kTokenModule) add_settings(filter);
  return filter.load();
}

}  // namespace wvds::platform
