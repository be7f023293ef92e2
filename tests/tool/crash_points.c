/* For tests: kills the program at a chosen step. WVDS_CRASH_AT=N names the N-th point, counted from 1; there is one
 * before and one after each call that changes a file. WVDS_CALLS=FILE names a file that gets the names of these calls,
 * in order. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int __real_mkostemp(char* name, int flags);
ssize_t __real_write(int file, const void* bytes, size_t length);
int __real_fsync(int file);
int __real_rename(const char* from, const char* to);

static void crash_point(void) {
  static long passed = 0;
  const char* chosen = getenv("WVDS_CRASH_AT");
  if (chosen != NULL && ++passed == strtol(chosen, NULL, 10)) raise(SIGKILL);
}

static void note(const char* call) {
  const char* path = getenv("WVDS_CALLS");
  FILE* file = path == NULL ? NULL : fopen(path, "a");
  if (file == NULL) return;
  fprintf(file, "%s\n", call);
  fclose(file);
}

int __wrap_mkostemp(char* name, int flags) {
  note("mkostemp");
  crash_point();
  const int result = __real_mkostemp(name, flags);
  crash_point();
  return result;
}

ssize_t __wrap_write(int file, const void* bytes, size_t length) {
  note("write");
  crash_point();
  const ssize_t result = __real_write(file, bytes, length);
  crash_point();
  return result;
}

int __wrap_fsync(int file) {
  note("fsync");
  crash_point();
  const int result = __real_fsync(file);
  crash_point();
  return result;
}

int __wrap_rename(const char* from, const char* to) {
  note("rename");
  crash_point();
  const int result = __real_rename(from, to);
  crash_point();
  return result;
}
