#pragma once

#include <stddef.h>
#include <stdint.h>

#include "examples/backend/identity.h"
#include "examples/backend/senders.h"
#include "examples/envelope/envelope.h"

/* backend is who receives. */
typedef struct backend {
  wvds_session* session;
  identity self;
  const char* state; /* folder with the senders' sequence numbers */
} backend;

typedef enum open_result {
  OPEN_DONE,
  OPEN_NOT_WELL_FORMED,
  OPEN_FOREIGN_RECIPIENT,
  OPEN_UNKNOWN_SENDER,
  OPEN_BAD_SIGNATURE,
  OPEN_OLD_SEQUENCE,
  OPEN_NOT_DECRYPTED, /* signed by the sender, yet it does not open: made for another key pair of the same name */
  OPEN_FAILED         /* not the envelope's fault: said on standard error; try again */
} open_result;

const char* open_result_text(open_result result);

/* opened is an envelope whose content may be released. */
typedef struct opened {
  envelope_header header;
  uint64_t missing; /* how many of this sender's numbers are missing before this one */
  size_t data_len;
  uint8_t data[ENVELOPE_MAX_DATA];
} opened;

/* open_envelope verifies, then decrypts, then remembers the sequence number durably, and only then returns OPEN_DONE
 * with the content: what was released once is refused afterwards, whenever the program or the machine stops. Where it
 * stops between remembering and releasing, the message is lost; its sender sends it again under a new number. On any
 * other result out->data is wiped and nothing was remembered, but for OPEN_FAILED, where the number may be taken. */
open_result open_envelope(const backend* who, opened* out, const uint8_t* bytes, size_t len);
