#pragma once

#include <stdint.h>

#include "examples/common/host.h"
#include "examples/envelope/envelope.h"
#include "wvds_crypto.h"

/* Who may send, and how far each one got. A sender's public key is in the backend's crypto service, where nobody can
 * exchange it on the disk; the last sequence number that was accepted of it is in STATE/NAME.sequence. */

/* sender is one of them. */
typedef struct sender {
  char name[ENVELOPE_MAX_SENDER + 1];
  uint32_t key_id; /* ML-DSA-65 public key, made to verify */
  char counter[HOST_MAX_PATH];
  uint64_t last_sequence;
} sender;

typedef enum sender_result { SENDER_KNOWN, SENDER_UNKNOWN, SENDER_FAILED /* said on standard error */ } sender_result;

/* sender_load looks a sender up. */
sender_result sender_load(wvds_session* session, sender* out, const char* name, const char* state);

/* sender_accept makes `sequence` durably the last one accepted. Returns 1, or 0 after it said why not: then the message
 * must not be released. */
int sender_accept(sender* who, uint64_t sequence);

/* sender_trust takes a sender's public key in. Doing it again with the same key changes nothing; another key for a
 * known name is refused. Returns 1, or 0 after it said why not. */
int sender_trust(wvds_session* session, const char* name, const uint8_t* public_key, size_t len, const char* state);
