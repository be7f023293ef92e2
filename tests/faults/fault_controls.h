/* What fault_injection.c, loaded into a program under test, reads, and the test writes: a file that both map. C and
 * C++. */
#pragma once

#include <stdint.h>

/* WVDS_TEST_FAULTS=FILE in the environment names the file. */
#define WVDS_TEST_FAULTS "WVDS_TEST_FAULTS"

/* Which call of the C library fails. Files: those with a name in a folder, other than the standard streams. */
enum wvds_fault_kind {
  WVDS_FAULT_CREATE, /* open or openat with O_CREAT */
  WVDS_FAULT_WRITE,  /* write and ftruncate of a file */
  WVDS_FAULT_SYNC,   /* fsync, fdatasync of a file or folder, syncfs */
  WVDS_FAULT_RENAME, /* rename, renameat */
  WVDS_FAULT_UNLINK, /* unlink, unlinkat */
  WVDS_FAULT_READ,   /* read and pread of a file */
  WVDS_FAULT_RANDOM, /* getentropy, getrandom (also by its number), and opening /dev/random and its like */
  WVDS_FAULT_MEMORY, /* malloc, calloc, realloc and their like */
  WVDS_FAULT_KINDS
};

/* wvds_fault: of the calls since it was set, those from number `skip` (counted from 0) on fail, `count` of them, with
 * errno `error`. 0: none fails. */
struct wvds_fault {
  int64_t error;
  int64_t skip;
  int64_t count;
  int64_t seen;   /* calls of this kind since it was set */
  int64_t failed; /* of those */
};

struct wvds_fault_controls {
  struct wvds_fault faults[WVDS_FAULT_KINDS];
  int64_t clock_offset_s; /* added to the time of day */
};
