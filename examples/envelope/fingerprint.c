#include "examples/envelope/fingerprint.h"

#include <openssl/evp.h>
#include <stdio.h>

int fingerprint_of(uint8_t out[ENVELOPE_FINGERPRINT_SIZE], const uint8_t* public_key, size_t len) {
  size_t written = 0;
  return EVP_Q_digest(NULL, "SHA256", NULL, public_key, len, out, &written) == 1 &&
         written == ENVELOPE_FINGERPRINT_SIZE;
}

void fingerprint_text(char out[FINGERPRINT_TEXT_SIZE], const uint8_t fingerprint[ENVELOPE_FINGERPRINT_SIZE]) {
  for (size_t i = 0; i < 8; ++i) snprintf(out + 2 * i, 3, "%02x", fingerprint[i]);
}
