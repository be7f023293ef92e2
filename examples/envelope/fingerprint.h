#pragma once

#include <stddef.h>
#include <stdint.h>

#include "examples/envelope/envelope.h"

#ifdef __cplusplus
extern "C" {
#endif

/* fingerprint_of writes the SHA-256 of a public key (FIPS 180-4; OpenSSL computes it). Returns 1, or 0 when it can't be
 * computed. A public key is no secret, so this need not happen in the service. */
int fingerprint_of(uint8_t out[ENVELOPE_FINGERPRINT_SIZE], const uint8_t* public_key, size_t len);

/* fingerprint_text writes the first 8 bytes as hex digits, for people. */
enum { FINGERPRINT_TEXT_SIZE = 17 };
void fingerprint_text(char out[FINGERPRINT_TEXT_SIZE], const uint8_t fingerprint[ENVELOPE_FINGERPRINT_SIZE]);

#ifdef __cplusplus
}
#endif
