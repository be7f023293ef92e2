/* L4Re has no files to write. What the examples keep is kept in this task's memory, and is gone with it: a gateway of
 * yours puts its sequence number on the flash of its board here. */
#include "examples/common/host.h"

#include <l4/re/env.h>
#include <l4/sys/kip.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_FILES = 8, MAX_SIZE = 8192 };

static struct kept {
  char path[HOST_MAX_PATH];
  size_t len;
  uint8_t bytes[MAX_SIZE];
} kept_files[MAX_FILES];

static const char* program = "example";

void host_set_program(const char* name) { program = name; }

void host_complain(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("%s: ", program);
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
}

int host_join(char out[HOST_MAX_PATH], const char* folder, const char* name) {
  const int length = snprintf(out, HOST_MAX_PATH, "%s/%s", folder, name);
  if (length > 0 && length < HOST_MAX_PATH) return 1;
  host_complain("%s/%s: the path is too long", folder, name);
  return 0;
}

int host_make_folder(const char* path) {
  (void)path;
  return 1;
}

int host_lock_folder(const char* path) {
  (void)path;
  return 1;
}

static struct kept* find(const char* path) {
  for (int i = 0; i < MAX_FILES; ++i) {
    if (strcmp(kept_files[i].path, path) == 0) return &kept_files[i];
  }
  return NULL;
}

int host_read_file(uint8_t* out, size_t* out_len, size_t max, const char* path) {
  const struct kept* file = find(path);
  if (file == NULL || file->len > max) {
    host_complain("%s: %s", path, file == NULL ? "no such file" : "too large");
    return 0;
  }
  memcpy(out, file->bytes, file->len);
  *out_len = file->len;
  return 1;
}

int host_write_file(const char* path, const uint8_t* bytes, size_t len) {
  struct kept* file = find(path);
  if (file == NULL) file = find("");
  if (file == NULL || len > MAX_SIZE || strlen(path) >= HOST_MAX_PATH) {
    host_complain("%s: no room for it in this task's memory", path);
    return 0;
  }
  snprintf(file->path, sizeof file->path, "%s", path);
  memcpy(file->bytes, bytes, len);
  file->len = len;
  return 1;
}

int host_read_number(uint64_t* out, int* out_is_missing, const char* path) {
  size_t len = 0;
  *out = 0;
  *out_is_missing = find(path) == NULL;
  if (*out_is_missing) return 1;
  if (host_read_file((uint8_t*)out, &len, sizeof *out, path) && len == sizeof *out) return 1;
  host_complain("%s: holds no number", path);
  return 0;
}

int host_write_number(const char* path, uint64_t number) {
  return host_write_file(path, (const uint8_t*)&number, sizeof number);
}

uint64_t host_clock_us(void) { return l4_kip_clock(l4re_kip()); }

void host_wait_ms(uint32_t milliseconds) {
  const struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
  nanosleep(&time, NULL);
}
