/* For tests: a library that is loaded before the C library (LD_PRELOAD) and makes chosen calls fail, or the time of day
 * another one, as the file that WVDS_TEST_FAULTS names says (fault_controls.h). Once it is loaded it makes no system
 * call of its own but fstat: the program may forbid itself the others. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fault_controls.h"

static struct wvds_fault_controls* controls;

__attribute__((constructor)) static void map_controls(void) {
  const char* path = getenv(WVDS_TEST_FAULTS);
  const int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* mapped = mmap(NULL, sizeof *controls, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) controls = mapped;
}

/* fails sets errno where this call is to fail. */
static bool fails(enum wvds_fault_kind kind) {
  if (controls == NULL) return false;
  struct wvds_fault* fault = &controls->faults[kind];
  const int64_t error = __atomic_load_n(&fault->error, __ATOMIC_ACQUIRE);
  if (error == 0) return false;
  const int64_t number = __atomic_fetch_add(&fault->seen, 1, __ATOMIC_RELAXED);
  if (number < fault->skip || number - fault->skip >= fault->count) return false;
  __atomic_fetch_add(&fault->failed, 1, __ATOMIC_RELAXED);
  errno = (int)error;
  return true;
}

static bool is_file(int descriptor) {
  struct stat facts;
  const int before = errno;
  const bool found =
      descriptor > STDERR_FILENO && fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink > 0;
  errno = before;
  return found;
}

#define REAL(name, ...)                                                \
  static __typeof__(&name) real;                                       \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
  return real(__VA_ARGS__)

static bool open_fails(const char* path, int flags) {
  if (strcmp(path, "/dev/random") == 0 || strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/hwrng") == 0 ||
      strcmp(path, "/dev/srandom") == 0) {
    return fails(WVDS_FAULT_RANDOM);
  }
  return (flags & O_CREAT) != 0 && fails(WVDS_FAULT_CREATE);
}

static mode_t mode_of(int flags, va_list more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

#define DEFINE_OPEN(name)                      \
  int name(const char* path, int flags, ...) { \
    va_list more;                              \
    va_start(more, flags);                     \
    const mode_t mode = mode_of(flags, more);  \
    va_end(more);                              \
    if (open_fails(path, flags)) return -1;    \
    REAL(name, path, flags, mode);             \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                \
  int name(int folder, const char* path, int flags, ...) { \
    va_list more;                                          \
    va_start(more, flags);                                 \
    const mode_t mode = mode_of(flags, more);              \
    va_end(more);                                          \
    if (open_fails(path, flags)) return -1;                \
    REAL(name, folder, path, flags, mode);                 \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

ssize_t write(int file, const void* bytes, size_t length) {
  if (is_file(file) && fails(WVDS_FAULT_WRITE)) return -1;
  REAL(write, file, bytes, length);
}
int ftruncate(int file, off_t length) {
  if (is_file(file) && fails(WVDS_FAULT_WRITE)) return -1;
  REAL(ftruncate, file, length);
}
int fsync(int file) {
  if (fails(WVDS_FAULT_SYNC)) return -1;
  REAL(fsync, file);
}
int fdatasync(int file) {
  if (fails(WVDS_FAULT_SYNC)) return -1;
  REAL(fdatasync, file);
}
int syncfs(int file) {
  if (fails(WVDS_FAULT_SYNC)) return -1;
  REAL(syncfs, file);
}
int rename(const char* from, const char* to) {
  if (fails(WVDS_FAULT_RENAME)) return -1;
  REAL(rename, from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  if (fails(WVDS_FAULT_RENAME)) return -1;
  REAL(renameat, from_folder, from, to_folder, to);
}
int unlink(const char* path) {
  if (fails(WVDS_FAULT_UNLINK)) return -1;
  REAL(unlink, path);
}
int unlinkat(int folder, const char* path, int flags) {
  if (fails(WVDS_FAULT_UNLINK)) return -1;
  REAL(unlinkat, folder, path, flags);
}
ssize_t read(int file, void* bytes, size_t length) {
  if (is_file(file) && fails(WVDS_FAULT_READ)) return -1;
  REAL(read, file, bytes, length);
}
ssize_t pread(int file, void* bytes, size_t length, off_t offset) {
  if (is_file(file) && fails(WVDS_FAULT_READ)) return -1;
  REAL(pread, file, bytes, length, offset);
}

int getentropy(void* bytes, size_t length) {
  if (fails(WVDS_FAULT_RANDOM)) return -1;
  REAL(getentropy, bytes, length);
}
ssize_t getrandom(void* bytes, size_t length, unsigned int flags) {
  if (fails(WVDS_FAULT_RANDOM)) return -1;
  REAL(getrandom, bytes, length, flags);
}
/* All system calls by number pass here: six arguments do for each. */
long syscall(long number, ...) {
  va_list more;
  va_start(more, number);
  long given[6];
  for (int i = 0; i < 6; ++i) given[i] = va_arg(more, long);
  va_end(more);
  if (number == SYS_getrandom && fails(WVDS_FAULT_RANDOM)) return -1;
  REAL(syscall, number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

/* The C library's own names for what these replace: dlsym() allocates. */
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t number, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) { return fails(WVDS_FAULT_MEMORY) ? NULL : __libc_malloc(size); }
void* calloc(size_t number, size_t size) { return fails(WVDS_FAULT_MEMORY) ? NULL : __libc_calloc(number, size); }
void* realloc(void* memory, size_t size) { return fails(WVDS_FAULT_MEMORY) ? NULL : __libc_realloc(memory, size); }
void* memalign(size_t alignment, size_t size) {
  return fails(WVDS_FAULT_MEMORY) ? NULL : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  return fails(WVDS_FAULT_MEMORY) ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  void* made = fails(WVDS_FAULT_MEMORY) ? NULL : __libc_memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *memory = made;
  return 0;
}

static int64_t offset_of(clockid_t clock) {
  if (controls == NULL || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return 0;
  return __atomic_load_n(&controls->clock_offset_s, __ATOMIC_RELAXED);
}
static int real_clock_gettime(clockid_t clock, struct timespec* now) { REAL(clock_gettime, clock, now); }
int clock_gettime(clockid_t clock, struct timespec* now) {
  const int result = real_clock_gettime(clock, now);
  if (result == 0) now->tv_sec += offset_of(clock);
  return result;
}
time_t time(time_t* out) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  (void)zone;
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}
