/* include/wvds_crypto.h as a C11 program sees it: compiled with -Wall -Wextra -Wpedantic -Werror. */
#include "client/header_c11.h"

#include "wvds_crypto.h"

/* constant expressions everywhere that C needs them */
static uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(5)];
static uint8_t opened[WVDS_AES_DECRYPT_OUTPUT_SIZE(sizeof sealed)];
static uint8_t signature[WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65)];
static uint8_t ciphertext[WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768)];
static uint8_t point[WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_ECDSA_P384)];
static uint8_t scalar[WVDS_ECDSA_SCALAR_SIZE(WVDS_ECDSA_P384)];
static uint8_t digest[WVDS_HASH_SIZE(WVDS_SHA384)];

_Static_assert(sizeof(opened) == 5, "the macros are inverse");
_Static_assert(sizeof(point) == 1 + 2 * sizeof(scalar), "the point is uncompressed");
_Static_assert(sizeof(digest) == 48, "FIPS 180-4");

const struct header_sizes header_sizes_in_c = {
    sizeof(sealed),
    sizeof(signature),
    sizeof(ciphertext),
    sizeof(wvds_status),
    sizeof(wvds_public_key),
    sizeof(wvds_derivation),
    sizeof(wvds_key_template),
    sizeof(wvds_key_entry),
    sizeof(wvds_key_version),
    sizeof(wvds_key_details),
    sizeof(wvds_service_state),
    sizeof(wvds_capability_list),
    sizeof(wvds_operation_metrics),
    sizeof(wvds_key_use_metrics),
    sizeof(wvds_metrics),
    sizeof(wvds_stream_io),
    sizeof(wvds_est_failure),
    sizeof(wvds_est_certificate_state),
    sizeof(wvds_est_state),
    sizeof(wvds_est_task),
    sizeof(wvds_est_event),
};

/* The functions that the header defines itself. */
int offers_nothing(const wvds_capability_list* offer) {
  return !wvds_can(offer, WVDS_OP_PING) && !wvds_has_algorithm(offer, WVDS_MLKEM_768) &&
         wvds_left(&offer->sessions) == 0;
}

/* The program of the header's first page, against an address where nobody serves. */
int run_header_example(const char* address) {
  wvds_session* session = NULL;
  uint32_t key = 0;
  size_t sealed_len = 0;
  const wvds_key_template wanted = {.algorithm = WVDS_AES_256_GCM, .lifetime = WVDS_LIFETIME_SESSION};

  wvds_status status = wvds_connect(&session, address, WVDS_DEFAULT_TIMEOUT);
  if (status == WVDS_SUCCESS) status = wvds_key_generate(session, &key, NULL, NULL, 0, &wanted);
  if (status == WVDS_SUCCESS)
    status = wvds_aes_encrypt(session, sealed, &sealed_len, sizeof sealed, key, (const uint8_t*)"hello", 5, NULL, 0);
  if (status == WVDS_SUCCESS)
    status = wvds_aes_decrypt(session, opened, &sealed_len, sizeof opened, key, sealed, sealed_len, NULL, 0);
  wvds_disconnect(session);
  return (int)status;
}
