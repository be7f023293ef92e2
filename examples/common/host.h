#pragma once

/* What the examples need of the operating system besides the C library. linux/host.c has it for Linux; a port to
 * another system replaces that file and nothing else. Functions that return int return 1, or 0 after they said on
 * standard error what failed and why. */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HOST_MAX_PATH = 1024 };

/* host_complain writes "PROGRAM: " and the formatted text as one line to standard error. */
void host_set_program(const char* name);
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void host_complain(const char* format, ...);

/* host_join writes "folder/name". */
int host_join(char out[HOST_MAX_PATH], const char* folder, const char* name);

/* host_make_folder makes the folder, for its owner only, unless it is there. */
int host_make_folder(const char* path);

/* host_lock_folder makes sure that this process is the only one that works with the folder, until it ends. */
int host_lock_folder(const char* path);

/* host_read_file reads a whole file of at most max bytes. */
int host_read_file(uint8_t* out, size_t* out_len, size_t max, const char* path);

/* host_write_file makes the file, or replaces it, for its owner only: whole and durable, or not at all. A crash at any
 * instant leaves the old file or the new one (temporary file, fsync, rename, fsync of the folder). */
int host_write_file(const char* path, const uint8_t* bytes, size_t len);

/* host_read_number and host_write_number keep one number in a file, durably. A missing file gives *out_is_missing = 1
 * and success; a file that holds anything else than a number is a failure: a damaged counter must never count as 0. */
int host_read_number(uint64_t* out, int* out_is_missing, const char* path);
int host_write_number(const char* path, uint64_t number);

/* host_clock_us is a monotonic clock in microseconds. */
uint64_t host_clock_us(void);
void host_wait_ms(uint32_t milliseconds);

#ifdef __cplusplus
}
#endif
