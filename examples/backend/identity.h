#pragma once

#include <stdint.h>

#include "examples/envelope/envelope.h"
#include "wvds_crypto.h"

/* identity is the backend as a recipient: its ML-KEM-768 key pair, which lives in the backend's own crypto service. */
typedef struct identity {
  uint32_t key_id; /* made for decaps-to-key only: no shared secret ever leaves the service */
  uint8_t public_key[WVDS_MLKEM_PUBLIC_KEY_SIZE(WVDS_MLKEM_768)];
  uint8_t fingerprint[ENVELOPE_FINGERPRINT_SIZE]; /* SHA-256 of public_key */
} identity;

/* identity_load finds the key pair. Returns 1, or 0 after it said on standard error why not. */
int identity_load(wvds_session* session, identity* out);

/* identity_make makes the key pair, persistently, unless it is there. *out_is_new tells which. Returns like
 * identity_load. */
int identity_make(wvds_session* session, identity* out, int* out_is_new);
