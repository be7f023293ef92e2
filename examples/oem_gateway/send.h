#pragma once

#include <stdint.h>

#include "examples/common/host.h"
#include "examples/oem_gateway/protect.h"

/* sending is a gateway at work: envelopes go to the folder `out`, the last sequence number used is in `counter`. */
typedef struct sending {
  gateway who;
  const char* out;
  const char* copies;          /* NULL, or a folder for what went in, so that somebody can compare */
  char counter[HOST_MAX_PATH]; /* path */
  uint64_t last_sequence;
} sending;

/* What follows returns 1, or 0 after it said on standard error what failed. Each envelope is one line on standard
 * output. */

/* send_sample protects one live sample of this machine: one batch. */
int send_sample(sending* gateway_at_work);

/* send_file protects a file's content, or standard input for "-": one batch, in as many parts as it needs. */
int send_file(sending* gateway_at_work, const char* path);
