#define _GNU_SOURCE /* flock */
#include "examples/common/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char* program = "example";

void host_set_program(const char* name) { program = name; }

void host_complain(const char* format, ...) {
  va_list arguments;
  fprintf(stderr, "%s: ", program);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

static int complain_about(const char* path) {
  host_complain("%s: %s", path, strerror(errno));
  return 0;
}

int host_join(char out[HOST_MAX_PATH], const char* folder, const char* name) {
  const int length = snprintf(out, HOST_MAX_PATH, "%s/%s", folder, name);
  if (length > 0 && length < HOST_MAX_PATH) return 1;
  host_complain("%s/%s: the path is too long", folder, name);
  return 0;
}

int host_make_folder(const char* path) { return mkdir(path, 0700) == 0 || errno == EEXIST ? 1 : complain_about(path); }

int host_lock_folder(const char* path) {
  /* The descriptor stays open on purpose: the lock lives as long as the process, however it ends. */
  const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return complain_about(path);
  if (flock(folder, LOCK_EX | LOCK_NB) == 0) return 1;
  if (errno == EWOULDBLOCK) {
    host_complain("%s: another process works with this folder", path);
  } else {
    complain_about(path);
  }
  close(folder);
  return 0;
}

int host_read_file(uint8_t* out, size_t* out_len, size_t max, const char* path) {
  FILE* file = fopen(path, "rbe");
  if (file == NULL) return complain_about(path);
  *out_len = fread(out, 1, max, file);
  const int is_longer = *out_len == max && fgetc(file) != EOF;
  const int cause = ferror(file) ? errno : 0;
  (void)fclose(file); /* was only read */
  errno = cause;
  if (cause != 0) return complain_about(path);
  if (is_longer) host_complain("%s: is larger than the %zu bytes that are expected at most", path, max);
  return !is_longer;
}

static int write_all(int file, const uint8_t* bytes, size_t len) {
  while (len > 0) {
    const ssize_t written = write(file, bytes, len);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return 0;
    bytes += written;
    len -= (size_t)written;
  }
  return 1;
}

/* sync_folder_of makes a rename durable. */
static int sync_folder_of(const char* path) {
  char folder[HOST_MAX_PATH];
  const char* slash = strrchr(path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
  const int descriptor = open(folder[0] == '\0' ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  const int synced = fsync(descriptor) == 0;
  close(descriptor);
  return synced;
}

static int fill_and_rename(int file, const char* temporary, const char* path, const uint8_t* bytes, size_t len) {
  const int filled = write_all(file, bytes, len) && fsync(file) == 0;
  const int closed = close(file) == 0;
  if (filled && closed && rename(temporary, path) == 0) return sync_folder_of(path);
  const int cause = errno;
  unlink(temporary);
  errno = cause;
  return 0;
}

int host_write_file(const char* path, const uint8_t* bytes, size_t len) {
  char temporary[HOST_MAX_PATH + 16];
  snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
  const int file = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
  if (file < 0) return complain_about(path);
  return fill_and_rename(file, temporary, path, bytes, len) ? 1 : complain_about(path);
}

int host_read_number(uint64_t* out, int* out_is_missing, const char* path) {
  char text[32] = "";
  size_t length = 0;
  *out = 0;
  *out_is_missing = access(path, F_OK) != 0 && errno == ENOENT;
  if (*out_is_missing) return 1;
  if (!host_read_file((uint8_t*)text, &length, sizeof text - 1, path)) return 0;
  char* end = text;
  errno = 0;
  *out = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
  if (errno == 0 && end > text && strcmp(end, "\n") == 0 && strlen(text) == length) return 1;
  host_complain("%s: holds no number; restore the file, do not delete it", path);
  return 0;
}

int host_write_number(const char* path, uint64_t number) {
  char text[32];
  const int length = snprintf(text, sizeof text, "%" PRIu64 "\n", number);
  return host_write_file(path, (const uint8_t*)text, (size_t)length);
}

uint64_t host_clock_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void host_wait_ms(uint32_t milliseconds) {
  struct timespec left = {(time_t)(milliseconds / 1000u), (long)(milliseconds % 1000u) * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}
