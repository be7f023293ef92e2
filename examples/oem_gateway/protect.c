#include "examples/oem_gateway/protect.h"

#include <string.h>

#include "examples/common/host.h"
#include "examples/common/service.h"

/* The parts that other headers fix must be the ones this format has room for. */
_Static_assert(WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768) == ENVELOPE_KEM_SIZE, "KEM ciphertext");
_Static_assert(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65) == ENVELOPE_SIGNATURE_SIZE, "signature");
_Static_assert(WVDS_AES_OVERHEAD == ENVELOPE_NONCE_SIZE + ENVELOPE_TAG_SIZE, "nonce and tag");
_Static_assert(ENVELOPE_AAD_SIZE + ENVELOPE_MAX_DATA <= WVDS_AES_MAX_SIZE, "one request encrypts it");
_Static_assert(ENVELOPE_SIGNED_OVERHEAD + ENVELOPE_MAX_DATA <= WVDS_MLDSA_MAX_MESSAGE_SIZE, "one request signs it");

/* encapsulate makes the data key, inside the service, and the ciphertext that lets the recipient make the same key. */
static wvds_status encapsulate(const gateway* who, uint32_t* data_key, uint8_t kem_ciphertext[ENVELOPE_KEM_SIZE]) {
  const wvds_public_key recipient = wvds_public_key_raw(WVDS_MLKEM_768, who->recipient_key, sizeof who->recipient_key);
  const wvds_derivation derivation = {.lifetime = WVDS_LIFETIME_SESSION,
                                      .context = (const uint8_t*)ENVELOPE_KEY_CONTEXT,
                                      .context_len = strlen(ENVELOPE_KEY_CONTEXT)};
  size_t len = 0;
  int tries = 0;
  wvds_status status;
  do {
    status = wvds_mlkem_encaps_to_key(who->session, data_key, NULL, kem_ciphertext, &len, ENVELOPE_KEM_SIZE, &recipient,
                                      &derivation);
  } while (service_may_repeat(status, &tries));
  return status;
}

/* encrypt writes nonce, ciphertext and tag behind the AAD, which already stands at the envelope's beginning. */
static wvds_status encrypt(const gateway* who, uint8_t* envelope, uint32_t data_key, const uint8_t* data,
                           size_t data_len) {
  uint8_t* sealed = envelope + ENVELOPE_AAD_SIZE;
  size_t len = 0;
  int tries = 0;
  wvds_status status;
  do {
    status = wvds_aes_encrypt(who->session, sealed, &len, WVDS_AES_ENCRYPT_OUTPUT_SIZE(data_len), data_key, data,
                              data_len, envelope, ENVELOPE_AAD_SIZE);
  } while (service_may_repeat(status, &tries));
  return status;
}

/* sign signs all that stands before the signature, under a context string of the format's own. */
static wvds_status sign(const gateway* who, uint8_t* envelope, size_t signed_len) {
  size_t len = 0;
  int tries = 0;
  wvds_status status;
  do {
    status =
        wvds_mldsa_sign(who->session, envelope + signed_len, &len, ENVELOPE_SIGNATURE_SIZE, who->signing_key, envelope,
                        signed_len, (const uint8_t*)ENVELOPE_SIGNATURE_CONTEXT, strlen(ENVELOPE_SIGNATURE_CONTEXT), 0);
  } while (service_may_repeat(status, &tries));
  return status;
}

wvds_status protect(const gateway* who, uint8_t out[ENVELOPE_MAX_SIZE], envelope_header* header, const uint8_t* data,
                    protect_times* times) {
  uint8_t kem_ciphertext[ENVELOPE_KEM_SIZE];
  uint32_t data_key = 0;
  memcpy(header->sender, who->sender, sizeof header->sender);
  memcpy(header->recipient, who->recipient, sizeof header->recipient);

  const uint64_t start = host_clock_us();
  wvds_status status = encapsulate(who, &data_key, kem_ciphertext);
  if (status != WVDS_SUCCESS) return status;
  const uint64_t encapsulated = host_clock_us();
  if (envelope_write_header(out, header, kem_ciphertext) == ENVELOPE_OK) {
    status = encrypt(who, out, data_key, data, header->data_len);
  } else {
    status = WVDS_INVALID_ARGUMENT;
  }
  const uint64_t encrypted = host_clock_us();
  if (status != WVDS_DISCONNECTED) service_delete_key(who->session, data_key); /* one message, one key */
  if (status != WVDS_SUCCESS) return status;

  const uint64_t before_signing = host_clock_us();
  status = sign(who, out, ENVELOPE_SIGNED_OVERHEAD + header->data_len);
  *times = (protect_times){encapsulated - start, encrypted - encapsulated, host_clock_us() - before_signing};
  return status;
}
