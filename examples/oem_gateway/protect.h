#pragma once

/* One envelope: the gateway's use of the crypto service. */
#include <stddef.h>
#include <stdint.h>

#include "examples/envelope/envelope.h"
#include "wvds_crypto.h"

/* gateway is who sends, to whom, and with which keys. */
typedef struct gateway {
  wvds_session* session;
  char sender[ENVELOPE_MAX_SENDER + 1];
  uint32_t signing_key;                                              /* ML-DSA-65, in the service, made to sign */
  uint8_t recipient_key[WVDS_MLKEM_PUBLIC_KEY_SIZE(WVDS_MLKEM_768)]; /* encapsulation key of the backend */
  uint8_t recipient[ENVELOPE_FINGERPRINT_SIZE];                      /* its SHA-256 */
} gateway;

/* protect_times says how long each step took, in microseconds. */
typedef struct protect_times {
  uint64_t encapsulate;
  uint64_t encrypt;
  uint64_t sign;
} protect_times;

/* protect puts `data` into an envelope: encapsulates to the recipient, so that a fresh data key arises inside the
 * service, encrypts under it, signs, and deletes the data key again. header->sequence, part and is_last_part are the
 * caller's; protect fills in the rest. Writes envelope_size(header->data_len) bytes. Any status of the library's
 * functions; on failure the envelope's bytes mean nothing. */
wvds_status protect(const gateway* who, uint8_t out[ENVELOPE_MAX_SIZE], envelope_header* header, const uint8_t* data,
                    protect_times* times);
