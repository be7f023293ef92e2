#include "platform/linux/system_calls.h"

namespace wvds::platform {
namespace {

using Names = const char* const[];

constexpr uint8_t kCrypto = static_cast<uint8_t>(Confined::kCryptoService);
constexpr uint8_t kEst = static_cast<uint8_t>(Confined::kEstService);
constexpr uint8_t kToken = static_cast<uint8_t>(Confined::kTokenModule);
constexpr uint8_t kServices = kCrypto | kEst;
constexpr uint8_t kAll = kServices | kToken;

constexpr Names kMemory = {"brk", "madvise", "membarrier", "mlock", "mlock2", "mremap", "munlock", "munmap"};
constexpr Names kThreads = {"exit",
                            "exit_group",
                            "futex",
                            "futex_waitv",
                            "get_robust_list",
                            "getcpu",
                            "gettid",
                            "restart_syscall",
                            "rseq",
                            "sched_getaffinity",
                            "sched_getparam",
                            "sched_getscheduler",
                            "sched_setaffinity",
                            "sched_yield",
                            "set_robust_list",
                            "set_tid_address"};
constexpr Names kSignals = {"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "sigaltstack"};
constexpr Names kTime = {"clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time"};
constexpr Names kWaiting = {"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2",
                            "poll",          "ppoll",     "pselect6",    "select"};
constexpr Names kDescriptors = {"close",   "dup",      "fcntl", "fstat",   "lseek", "newfstatat",
                                "pread64", "pwrite64", "read",  "readv",   "stat",  "statx",
                                "write",   "writev",   "lstat", "fstatfs", "statfs"};
constexpr Names kOpening = {"access",     "faccessat", "faccessat2", "fgetxattr", "getcwd",
                            "getdents64", "open",      "openat",     "readlink",  "readlinkat"};
constexpr Names kChanging = {"chmod", "fallocate", "fchmod", "fchmodat", "fdatasync", "flock",  "fsync",  "ftruncate",
                             "mkdir", "mkdirat",   "rename", "renameat", "renameat2", "syncfs", "unlink", "unlinkat"};
constexpr Names kIdentity = {"getegid", "geteuid",   "getgid",    "getgroups", "getpgrp", "getpid",
                             "getppid", "getrandom", "getrusage", "getuid",    "sysinfo", "uname"};
constexpr Names kSockets = {"connect", "getpeername", "getsockname", "getsockopt", "recvfrom", "recvmsg",
                            "sendmsg", "sendto",      "setsockopt",  "shutdown",   "sendmmsg"};
constexpr Names kClients = {"accept", "accept4", "memfd_create", "pidfd_open"};
constexpr Names kNames = {"bind", "recvmmsg"};
constexpr Names kHelper = {"wait4", "waitid"};
constexpr Names kModule = {"accept",
                           "accept4",
                           "bind",
                           "chdir",
                           "chown",
                           "close_range",
                           "copy_file_range",
                           "dup2",
                           "dup3",
                           "epoll_create",
                           "eventfd",
                           "fadvise64",
                           "fchown",
                           "fchownat",
                           "fsetxattr",
                           "getdents",
                           "getitimer",
                           "getpgid",
                           "getpriority",
                           "getresgid",
                           "getresuid",
                           "getrlimit",
                           "getsid",
                           "getxattr",
                           "inotify_add_watch",
                           "inotify_init",
                           "inotify_init1",
                           "inotify_rm_watch",
                           "ioctl",
                           "lchown",
                           "lgetxattr",
                           "link",
                           "linkat",
                           "listen",
                           "memfd_create",
                           "mincore",
                           "mlockall",
                           "msync",
                           "munlockall",
                           "pidfd_open",
                           "pipe",
                           "pipe2",
                           "prctl",
                           "preadv",
                           "prlimit64",
                           "pwritev",
                           "recvmmsg",
                           "rmdir",
                           "rt_sigsuspend",
                           "rt_sigtimedwait",
                           "sched_get_priority_max",
                           "sched_get_priority_min",
                           "semctl",
                           "semget",
                           "semop",
                           "semtimedop",
                           "sendfile",
                           "setitimer",
                           "shmat",
                           "shmctl",
                           "shmdt",
                           "shmget",
                           "signalfd4",
                           "socketpair",
                           "symlink",
                           "symlinkat",
                           "timer_create",
                           "timer_delete",
                           "timer_getoverrun",
                           "timer_gettime",
                           "timer_settime",
                           "timerfd_create",
                           "timerfd_gettime",
                           "timerfd_settime",
                           "times",
                           "truncate",
                           "umask",
                           "utimensat"};

constexpr CallGroup kAllowed[] = {
    {"memory", kAll, kMemory},
    {"threads", kAll, kThreads},
    {"signals", kAll, kSignals},
    {"time", kAll, kTime},
    {"waiting", kAll, kWaiting},
    {"open files", kAll, kDescriptors},
    {"opening files", kAll, kOpening},
    {"changing files", kAll, kChanging},
    {"identity and random numbers", kAll, kIdentity},
    {"sockets", kAll, kSockets},
    {"clients", kServices, kClients},
    {"names", kEst, kNames},
    {"end of helpers", kServices, kHelper},
    {"what modules use", kToken, kModule},
};

constexpr Names kMappings = {"mmap", "mprotect"};
constexpr Names kNewThreads = {"clone", "clone3"};
constexpr Names kOwnThreads = {"tgkill"};
constexpr Names kSettings = {"ioctl", "prctl", "prlimit64"};
constexpr Names kFamilies = {"socket"};

constexpr CallGroup kConditional[] = {
    {"mappings", kAll, kMappings},      {"new threads", kAll, kNewThreads}, {"own threads", kAll, kOwnThreads},
    {"settings", kServices, kSettings}, {"families", kAll, kFamilies},
};

constexpr Names kPrograms = {"execve", "execveat", "fork", "vfork"};
constexpr Names kOthers = {
    "kcmp", "pidfd_getfd", "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev", "ptrace"};
constexpr Names kRights = {"capset",   "setfsgid",  "setfsuid",  "setgid",   "setgroups", "setns",
                           "setregid", "setresgid", "setresuid", "setreuid", "setuid",    "unshare"};
constexpr Names kKernel = {"acct",
                           "add_key",
                           "bpf",
                           "chroot",
                           "clock_adjtime",
                           "clock_settime",
                           "delete_module",
                           "finit_module",
                           "fsmount",
                           "fsopen",
                           "init_module",
                           "io_uring_setup",
                           "ioperm",
                           "iopl",
                           "kexec_file_load",
                           "kexec_load",
                           "keyctl",
                           "mknod",
                           "mknodat",
                           "modify_ldt",
                           "mount",
                           "mount_setattr",
                           "move_mount",
                           "name_to_handle_at",
                           "open_by_handle_at",
                           "open_tree",
                           "perf_event_open",
                           "personality",
                           "pivot_root",
                           "quotactl",
                           "reboot",
                           "request_key",
                           "setdomainname",
                           "sethostname",
                           "settimeofday",
                           "swapoff",
                           "swapon",
                           "syslog",
                           "umount2",
                           "userfaultfd",
                           "vhangup"};

constexpr CallGroup kLethal[] = {
    {"other programs", kAll, kPrograms},
    {"other processes", kAll, kOthers},
    {"rights", kAll, kRights},
    {"the system", kAll, kKernel},
};

}  // namespace

std::span<const CallGroup> allowed_calls() { return kAllowed; }
std::span<const CallGroup> conditional_calls() { return kConditional; }
std::span<const CallGroup> lethal_calls() { return kLethal; }

}  // namespace wvds::platform
