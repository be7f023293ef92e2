#pragma once

/* The envelope that the example gateway sends and the example backend opens: docs/envelope.md gives every offset. This
 * is the format only: no cryptography, no files, no memory of its own. Gateway and backend share it, so that both read
 * the same bytes in the same way.
 *
 *     header | KEM ciphertext | nonce | ciphertext | tag | signature
 *     '------ AAD ----------'
 *     '------------- what is signed -------------'
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  ENVELOPE_VERSION = 1,
  ENVELOPE_SUITE = 1, /* ML-KEM-768, HKDF-SHA256, AES-256-GCM, ML-DSA-65 */

  ENVELOPE_MAX_SENDER = 32,
  ENVELOPE_FINGERPRINT_SIZE = 32, /* SHA-256 */
  ENVELOPE_HEADER_SIZE = 92,
  ENVELOPE_KEM_SIZE = 1088,
  ENVELOPE_NONCE_SIZE = 12,
  ENVELOPE_TAG_SIZE = 16,
  ENVELOPE_SIGNATURE_SIZE = 3309,

  ENVELOPE_AAD_SIZE = ENVELOPE_HEADER_SIZE + ENVELOPE_KEM_SIZE,
  ENVELOPE_SIGNED_OVERHEAD = ENVELOPE_AAD_SIZE + ENVELOPE_NONCE_SIZE + ENVELOPE_TAG_SIZE,
  ENVELOPE_OVERHEAD = ENVELOPE_SIGNED_OVERHEAD + ENVELOPE_SIGNATURE_SIZE,
  ENVELOPE_MAX_DATA = 49152, /* so that each step fits one request to the service; more is split into parts */
  ENVELOPE_MAX_SIZE = ENVELOPE_OVERHEAD + ENVELOPE_MAX_DATA
};

/* Both strings are inputs of the cryptography: with them, what is made for an envelope opens nothing else. */
#define ENVELOPE_SIGNATURE_CONTEXT "WvdS-Envelope-v1 signature"
#define ENVELOPE_KEY_CONTEXT "WvdS-Envelope-v1 data key"

/* envelope_header is what an envelope says about itself. All of it is signed and authenticated; nothing of it is
 * secret. */
typedef struct envelope_header {
  uint64_t sequence; /* from 1, never used again by this sender */
  uint32_t part;     /* from 1: place in the batch */
  int is_last_part;
  char sender[ENVELOPE_MAX_SENDER + 1];
  uint8_t recipient[ENVELOPE_FINGERPRINT_SIZE]; /* SHA-256 of the recipient's ML-KEM-768 encapsulation key */
  uint32_t data_len;                            /* of plaintext and ciphertext: at most ENVELOPE_MAX_DATA */
} envelope_header;

/* envelope_view points into the bytes of an envelope; it owns nothing. */
typedef struct envelope_view {
  envelope_header header;
  const uint8_t* kem_ciphertext; /* ENVELOPE_KEM_SIZE */
  const uint8_t* sealed;         /* nonce, ciphertext, tag, as wvds_aes_decrypt takes them */
  size_t sealed_len;
  const uint8_t* signature; /* ENVELOPE_SIGNATURE_SIZE */
  const uint8_t* bytes;     /* the AAD is the first ENVELOPE_AAD_SIZE of them */
  size_t signed_len;        /* the signature covers the first signed_len of them */
} envelope_view;

typedef enum envelope_result {
  ENVELOPE_OK = 0,
  ENVELOPE_NOT_ONE,         /* does not begin like an envelope */
  ENVELOPE_UNKNOWN_VERSION, /* version or suite of a later time */
  ENVELOPE_BAD_HEADER,      /* a field has a value that no sender writes */
  ENVELOPE_BAD_LENGTH       /* shorter or longer than its header says */
} envelope_result;

/* envelope_result_text says it in words; static. */
const char* envelope_result_text(envelope_result result);

/* envelope_sender_is_valid tells whether `name` is 1 to 32 letters, digits, '-', '_' or '.', and begins with a letter
 * or digit: it may stand in a file name. */
int envelope_sender_is_valid(const char* name);

/* envelope_size is the size of a whole envelope around data_len bytes. */
size_t envelope_size(size_t data_len);

/* envelope_write_header writes header and KEM ciphertext, ENVELOPE_AAD_SIZE bytes. The header must be one that
 * envelope_parse accepts, else ENVELOPE_BAD_HEADER and nothing is written. */
envelope_result envelope_write_header(uint8_t out[ENVELOPE_AAD_SIZE], const envelope_header* header,
                                      const uint8_t kem_ciphertext[ENVELOPE_KEM_SIZE]);

/* envelope_parse checks form and lengths of `len` bytes from anywhere. It can't tell who wrote them: only the signature
 * can. On failure *out is all 0. */
envelope_result envelope_parse(envelope_view* out, const uint8_t* bytes, size_t len);

#ifdef __cplusplus
}
#endif
