/*
 * wvds_crypto.h - the client library of the WvdS Crypto Service.
 *
 * The service holds the keys and does the cryptography: AES-256-GCM (SP 800-38D), ML-DSA (FIPS 204), ML-KEM (FIPS 203),
 * ECDSA (FIPS 186-5). A program connects, names a key by its id, and hands over bytes through memory that it shares
 * with the service. It can use the keys that it was granted; it can never read one.
 *
 *     wvds_session* session = NULL;
 *     uint32_t key = 0;
 *     uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(5)];
 *     size_t sealed_len = 0;
 *     const wvds_key_template wanted = {.algorithm = WVDS_AES_256_GCM, .lifetime = WVDS_LIFETIME_SESSION};
 *
 *     wvds_status status = wvds_connect(&session, NULL, WVDS_DEFAULT_TIMEOUT);
 *     if (status == WVDS_SUCCESS) status = wvds_key_generate(session, &key, NULL, NULL, 0, &wanted);
 *     if (status == WVDS_SUCCESS)
 *       status = wvds_aes_encrypt(session, sealed, &sealed_len, sizeof sealed, key,
 *                                 (const uint8_t*)"hello", 5, NULL, 0);
 *     if (status != WVDS_SUCCESS) fprintf(stderr, "%s\n", wvds_status_text(status));
 *     wvds_disconnect(session);
 *
 * Rules that hold for every function stand here; the functions say only what differs. docs/API-CONVENTIONS.md gives the
 * reasons.
 *
 * - Order of parameters: session or call, outputs, inputs. `_len` counts bytes, `num_` counts items, `max_` is the room
 *   in the caller's buffer.
 * - Every function that can fail returns a wvds_status and hands data out through pointers. On failure each `*out_len`,
 *   id and handle is 0 or NULL and each output buffer is wiped over its whole `max_out` bytes.
 * - Room is checked before a request is sent wherever the size is known then, and always before something is changed:
 *   a call that returned WVDS_BUFFER_TOO_SMALL has made no key. A buffer of the size that the macro gives is enough.
 * - A pointer to bytes may be NULL when its length is 0. A buffer may overlap an input: inputs are copied first. The
 *   in-place calls (`_begin`) say what holds for theirs.
 * - Nothing that is passed in is kept after the call, except by wvds_connect, which copies the address.
 * - A session is for one thread at a time, with all its calls; sessions are independent of each other. A session and
 *   its calls may be handed from one thread to another. After fork() only the parent may use it.
 * - A function that sends a request blocks until the answer is there, at most for the session's timeout (5,000 ms
 *   unless wvds_set_timeout changed it). A service that died is reported within 100 ms, as WVDS_DISCONNECTED.
 * - Errors that any function with a session may return, and that are not listed again: WVDS_INVALID_ARGUMENT (NULL, a
 *   handle that is none, a value that is none of the list), WVDS_TIMEOUT (the work may still be done; its answer is
 *   dropped), WVDS_DISCONNECTED, WVDS_BUSY (all slots are in use), WVDS_PROTOCOL_ERROR, WVDS_RATE_LIMITED, WVDS_DENIED,
 *   WVDS_NOT_READY, WVDS_CRYPTO_ERROR, WVDS_INTERNAL_ERROR, WVDS_OUT_OF_MEMORY; with a key id also WVDS_STORAGE_ERROR
 *   (the key's record is damaged), WVDS_KEY_NOT_VALID (the key has dates) and WVDS_KEY_USED_UP (it has max_uses).
 *   wvds_status_text() says what each means.
 */
#ifndef WVDS_CRYPTO_H
#define WVDS_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WVDS_EXPORT __attribute__((visibility("default")))
#else
#define WVDS_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ---------------------------------------------------------------------------------------------------- */

/* wvds_status is the outcome of a call. Values below 0x80 are the service's, as docs/protocol.md fixes them; values
 * from 0x80 are made by this library. */
typedef enum wvds_status {
  WVDS_SUCCESS = 0x00,
  WVDS_INVALID_HEADER = 0x01,
  WVDS_INVALID_TYPE = 0x02,
  WVDS_INVALID_PAYLOAD = 0x03,
  WVDS_KEY_NOT_FOUND = 0x04, /* also for a key that exists and is not the caller's to use */
  WVDS_CRYPTO_ERROR = 0x05,
  WVDS_DECRYPTION_FAILED = 0x06,
  WVDS_RATE_LIMITED = 0x07,
  WVDS_NONCE_REUSE = 0x08,
  WVDS_PAYLOAD_TOO_LARGE = 0x09,
  WVDS_DENIED = 0x0A,
  WVDS_WRONG_KEY_TYPE = 0x0B,
  WVDS_WRONG_KEY_USAGE = 0x0C,
  WVDS_KEY_USED_UP = 0x0D,
  WVDS_LIMIT_REACHED = 0x0E,
  WVDS_STORAGE_ERROR = 0x0F,
  WVDS_NOT_READY = 0x10,
  WVDS_SIGNATURE_INVALID = 0x11,
  WVDS_UNSUPPORTED = 0x12,
  WVDS_INTERNAL_ERROR = 0x13,
  WVDS_KEY_NOT_VALID = 0x14,         /* before or after the key's dates */
  WVDS_CERTIFICATE_NOT_FOUND = 0x15, /* est_service has none of this name, or none yet */

  WVDS_INVALID_ARGUMENT = 0x80,
  WVDS_BUFFER_TOO_SMALL = 0x81,
  WVDS_TIMEOUT = 0x82,
  WVDS_DISCONNECTED = 0x83,
  WVDS_CONNECT_FAILED = 0x84,
  WVDS_PROTOCOL_ERROR = 0x85,
  WVDS_BUSY = 0x86,
  WVDS_OUT_OF_MEMORY = 0x87,
  WVDS_STREAM_UNREADABLE = 0x88, /* the stream statuses: docs/stream-format.md */
  WVDS_STREAM_NEWER_VERSION = 0x89,
  WVDS_STREAM_TRUNCATED = 0x8A,
  WVDS_STREAM_OUT_OF_ORDER = 0x8B,
  WVDS_STREAM_FOREIGN_CHUNK = 0x8C,
  WVDS_STREAM_DATA_AFTER_END = 0x8D,
  WVDS_CALLBACK_FAILED = 0x8E
} wvds_status;

/* wvds_status_name returns the name of a status without its prefix ("KEY_NOT_FOUND"); "UNKNOWN_STATUS" for a value that
 * is none. The text is static. */
WVDS_EXPORT const char* wvds_status_name(wvds_status status);

/* wvds_status_text returns one or two sentences in English that say what happened and what helps, for people. The text
 * is static. Programs decide by the value. */
WVDS_EXPORT const char* wvds_status_text(wvds_status status);

/* wvds_library_version returns the version of this library ("0.1.0"). The text is static. */
WVDS_EXPORT const char* wvds_library_version(void);

/* ---- What a key is --------------------------------------------------------------------------------------------- */

typedef uint32_t wvds_algorithm;
enum {
  WVDS_AES_256_GCM = 0x01,
  WVDS_MLDSA_44 = 0x10,
  WVDS_MLDSA_65 = 0x11,
  WVDS_MLDSA_87 = 0x12,
  WVDS_MLKEM_512 = 0x20,
  WVDS_MLKEM_768 = 0x21,
  WVDS_MLKEM_1024 = 0x22,
  WVDS_ECDSA_P256 = 0x30,
  WVDS_ECDSA_P384 = 0x31
};

/* wvds_algorithm_name returns the name that FIPS gives it ("ML-KEM-768"; "ECDSA-P256" with the curve), or NULL. The
 * text is static. */
WVDS_EXPORT const char* wvds_algorithm_name(wvds_algorithm algorithm);

/* wvds_algorithm_from_name accepts that name in any case, and returns 0 for a name that is none. */
WVDS_EXPORT wvds_algorithm wvds_algorithm_from_name(const char* name);

typedef uint32_t wvds_lifetime;
enum {
  WVDS_LIFETIME_DEFAULT = 0,   /* what the function says */
  WVDS_LIFETIME_SESSION = 1,   /* in memory, ends with the session */
  WVDS_LIFETIME_VOLATILE = 2,  /* in memory, ends with the service */
  WVDS_LIFETIME_PERSISTENT = 3 /* stored durably before the call returns */
};

/* Usages are bits; a key does what it was made for and nothing else. 0 asks for the algorithm's default: encrypt and
 * decrypt; sign and verify; encapsulate and decaps-to-key. */
enum {
  WVDS_USAGE_ENCRYPT = 0x0001,
  WVDS_USAGE_DECRYPT = 0x0002,
  WVDS_USAGE_SIGN = 0x0004,
  WVDS_USAGE_VERIFY = 0x0008,
  WVDS_USAGE_SIGN_MU = 0x0010, /* sign an external mu: bypasses context strings, so never a default */
  WVDS_USAGE_ENCAPSULATE = 0x0020,
  WVDS_USAGE_DECAPS_RAW = 0x0040,    /* the shared secret is handed out; excludes the next one for good */
  WVDS_USAGE_DECAPS_TO_KEY = 0x0080, /* the shared secret becomes a key inside the service */
  WVDS_USAGE_TLS_AND_CSR = 0x0100    /* device identity; for est_service only */
};

/* WVDS_KEY_REPLAY_WINDOW_OFF makes an AES key without memory of the nonces it decrypted: for data at rest, which is
 * read more than once. Without it a nonce that comes a second time is WVDS_NONCE_REUSE.
 * WVDS_KEY_INSIDE_TOKEN makes an ML-DSA or ML-KEM key inside the PKCS#11 token that protects the service's store: the
 * private key never leaves it. The key is persistent, signs no external mu, and each use waits for the token.
 * WVDS_UNSUPPORTED where the service has no token that can do it. */
enum { WVDS_KEY_REPLAY_WINDOW_OFF = 0x01, WVDS_KEY_INSIDE_TOKEN = 0x02 };

/* ---- Sizes, in bytes ------------------------------------------------------------------------------------------- */

#define WVDS_AES_NONCE_SIZE 12u
#define WVDS_AES_TAG_SIZE 16u
#define WVDS_AES_OVERHEAD 28u /* nonce and tag */

/* WVDS_AES_MAX_SIZE bounds plaintext and AAD together: more could not be decrypted again in one request. */
#define WVDS_AES_MAX_SIZE 65502u

#define WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext_len) ((plaintext_len) + WVDS_AES_OVERHEAD)
#define WVDS_AES_DECRYPT_OUTPUT_SIZE(sealed_len) \
  ((sealed_len) < WVDS_AES_OVERHEAD ? 0u : (sealed_len) - WVDS_AES_OVERHEAD)

/* FIPS 204, table 2. 0 for another algorithm. */
#define WVDS_MLDSA_PUBLIC_KEY_SIZE(algorithm) \
  ((algorithm) == WVDS_MLDSA_44   ? 1312u     \
   : (algorithm) == WVDS_MLDSA_65 ? 1952u     \
   : (algorithm) == WVDS_MLDSA_87 ? 2592u     \
                                  : 0u)
#define WVDS_MLDSA_SIGNATURE_SIZE(algorithm) \
  ((algorithm) == WVDS_MLDSA_44   ? 2420u    \
   : (algorithm) == WVDS_MLDSA_65 ? 3309u    \
   : (algorithm) == WVDS_MLDSA_87 ? 4627u    \
                                  : 0u)
#define WVDS_MLDSA_MAX_SIGNATURE_SIZE 4627u
#define WVDS_MLDSA_MAX_CONTEXT_SIZE 255u
#define WVDS_MLDSA_MU_SIZE 64u
#define WVDS_MLDSA_SEED_SIZE 32u

/* WVDS_MLDSA_MAX_MESSAGE_SIZE fits every request to sign or verify, with the longest context, signature and public key.
 * A longer message is signed through its mu (WVDS_MLDSA_EXTERNAL_MU). */
#define WVDS_MLDSA_MAX_MESSAGE_SIZE 58050u

/* FIPS 203, table 3. 0 for another algorithm. */
#define WVDS_MLKEM_PUBLIC_KEY_SIZE(algorithm) \
  ((algorithm) == WVDS_MLKEM_512    ? 800u    \
   : (algorithm) == WVDS_MLKEM_768  ? 1184u   \
   : (algorithm) == WVDS_MLKEM_1024 ? 1568u   \
                                    : 0u)
#define WVDS_MLKEM_CIPHERTEXT_SIZE(algorithm) \
  ((algorithm) == WVDS_MLKEM_512    ? 768u    \
   : (algorithm) == WVDS_MLKEM_768  ? 1088u   \
   : (algorithm) == WVDS_MLKEM_1024 ? 1568u   \
                                    : 0u)
#define WVDS_MLKEM_MAX_CIPHERTEXT_SIZE 1568u
#define WVDS_MLKEM_SHARED_SECRET_SIZE 32u
#define WVDS_MLKEM_SEED_SIZE 64u
#define WVDS_MLKEM_MAX_CONTEXT_SIZE 1024u /* of wvds_derivation */

/* SEC 1, section 2.3.3: the uncompressed point; FIPS 186-5: the private scalar. 0 for another algorithm. A signature
 * has no fixed length: at most 72 bytes with P-256 and 104 with P-384. */
#define WVDS_ECDSA_PUBLIC_KEY_SIZE(algorithm) \
  ((algorithm) == WVDS_ECDSA_P256 ? 65u : (algorithm) == WVDS_ECDSA_P384 ? 97u : 0u)
#define WVDS_ECDSA_SCALAR_SIZE(algorithm) \
  ((algorithm) == WVDS_ECDSA_P256 ? 32u : (algorithm) == WVDS_ECDSA_P384 ? 48u : 0u)
#define WVDS_ECDSA_MAX_SIGNATURE_SIZE 104u

/* WVDS_ECDSA_MAX_MESSAGE_SIZE fits every request to sign or verify. A longer message is signed through its digest
 * (WVDS_ECDSA_DIGEST). */
#define WVDS_ECDSA_MAX_MESSAGE_SIZE 65323u
#define WVDS_HASH_SIZE(hash) \
  ((hash) == WVDS_SHA256 ? 32u : (hash) == WVDS_SHA384 ? 48u : (hash) == WVDS_SHA512 ? 64u : 0u)

#define WVDS_AES_KEY_SIZE 32u
#define WVDS_MAX_PUBLIC_KEY_SIZE 2592u

/* Of the streams of docs/stream-format.md. WVDS_STREAM_SIZE gives the whole size for that much plaintext, an unsigned
 * 64-bit number. */
#define WVDS_STREAM_HEADER_SIZE 32u
#define WVDS_STREAM_CHUNK_SIZE 61440u /* plaintext of each chunk but the last */
#define WVDS_STREAM_CHUNK_OVERHEAD 44u
#define WVDS_STREAM_MAX_AAD_SIZE 4000u
#define WVDS_STREAM_SIZE(plaintext_len)                  \
  (WVDS_STREAM_HEADER_SIZE + (uint64_t)(plaintext_len) + \
   (uint64_t)WVDS_STREAM_CHUNK_OVERHEAD *                \
       ((plaintext_len) == 0u ? 1u : ((uint64_t)(plaintext_len) - 1u) / WVDS_STREAM_CHUNK_SIZE + 1u))

#define WVDS_MAX_LABEL_SIZE 64u    /* without the final NUL */
#define WVDS_MAX_OWNER_SIZE 32u    /* without the final NUL */
#define WVDS_MAX_PROVIDER_SIZE 96u /* without the final NUL */
#define WVDS_MAX_KEY_VERSIONS 4u
#define WVDS_MAX_USES UINT64_C(0x1000000000000) /* 2^48, of max_uses */
#define WVDS_MAX_KEY_LIST 256u
#define WVDS_MAX_RANDOM_SIZE 65536u
#define WVDS_MAX_REQUEST_PAYLOAD 65536u
#define WVDS_MAX_ANSWER_PAYLOAD 65564u

/* ---- Sessions -------------------------------------------------------------------------------------------------- */

/* wvds_session is a connection to the service, with the session keys that were made over it. */
typedef struct wvds_session wvds_session;

/* Timeouts are in milliseconds from the call. */
#define WVDS_NO_WAIT 0u                  /* for wvds_collect: look and return */
#define WVDS_DEFAULT_TIMEOUT 0xFFFFFFFFu /* the session's timeout; 5,000 ms where there is none yet */

/* wvds_connect opens a session. `address` is the path of the service's socket (on L4Re: the name of the factory
 * capability); NULL means the platform's default (on Linux: /run/wvds/crypto.sock). The caller ends the session with
 * wvds_disconnect. Who the caller is, and so what it may do, the service learns from the operating system.
 *
 * Errors: WVDS_CONNECT_FAILED (nobody serves there), WVDS_DENIED (the service's configuration has no entry for this
 * caller, or the operating system does not let it reach the address), WVDS_LIMIT_REACHED (too many sessions),
 * WVDS_NOT_READY, WVDS_TIMEOUT, WVDS_UNSUPPORTED (library and service do not match), WVDS_INVALID_ARGUMENT (what can
 * be no address). */
WVDS_EXPORT wvds_status wvds_connect(wvds_session** out_session, const char* address, uint32_t timeout_ms);

/* wvds_disconnect ends the session, its calls and its session keys, and frees the handle. Does not wait for requests in
 * flight. NULL is allowed and does nothing. */
WVDS_EXPORT wvds_status wvds_disconnect(wvds_session* session);

/* wvds_reconnect connects the same handle to the same address again, after WVDS_DISCONNECTED or at any time. The old
 * session has ended then, also when reconnecting fails: its session keys are gone and all its calls are released. The
 * timeout of the session stays. wvds_epoch tells whether the service was restarted, and with it volatile keys lost.
 *
 * Errors: those of wvds_connect; the session stays disconnected and may be reconnected again. */
WVDS_EXPORT wvds_status wvds_reconnect(wvds_session* session, uint32_t timeout_ms);

/* wvds_epoch tells which start of the service this session belongs to: the number differs after every restart. Sends
 * nothing; works while disconnected, for the last connection. */
WVDS_EXPORT wvds_status wvds_epoch(wvds_session* session, uint64_t* out_epoch);

/* wvds_set_timeout sets how long functions of this session wait for an answer: 1 ms and more, or WVDS_DEFAULT_TIMEOUT
 * for 5,000 ms. */
WVDS_EXPORT wvds_status wvds_set_timeout(wvds_session* session, uint32_t timeout_ms);

/* ---- AES-256-GCM (SP 800-38D) ---------------------------------------------------------------------------------- */

/* wvds_aes_encrypt writes nonce (12), ciphertext (plaintext_len) and tag (16):
 * WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext_len) bytes, which wvds_aes_decrypt takes as they are. The service makes the
 * nonce (SP 800-38D, section 8.2); nobody can pass one in. Plaintext and AAD may be empty.
 *
 * Errors: WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE (not made to encrypt, or retired),
 * WVDS_KEY_USED_UP (2^32 encryptions, or max_uses: rotate the key), WVDS_PAYLOAD_TOO_LARGE (plaintext_len + aad_len is
 * over WVDS_AES_MAX_SIZE), WVDS_STORAGE_ERROR, WVDS_BUFFER_TOO_SMALL. */
WVDS_EXPORT wvds_status wvds_aes_encrypt(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out,
                                         uint32_t key_id, const uint8_t* plaintext, size_t plaintext_len,
                                         const uint8_t* aad, size_t aad_len);

/* wvds_aes_decrypt opens what wvds_aes_encrypt wrote and writes WVDS_AES_DECRYPT_OUTPUT_SIZE(sealed_len) bytes, only
 * when the tag is right for ciphertext and AAD. The newest version of the key is tried first, then its retained ones.
 *
 * Errors: WVDS_DECRYPTION_FAILED (wrong key, ciphertext, AAD or tag: which one cannot be told), WVDS_NONCE_REUSE (this
 * message was opened before: a replay), WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE,
 * WVDS_LIMIT_REACHED (the memory for replay windows is used up), WVDS_INVALID_PAYLOAD (sealed_len below
 * WVDS_AES_OVERHEAD), WVDS_PAYLOAD_TOO_LARGE, WVDS_BUFFER_TOO_SMALL. */
WVDS_EXPORT wvds_status wvds_aes_decrypt(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out,
                                         uint32_t key_id, const uint8_t* sealed, size_t sealed_len, const uint8_t* aad,
                                         size_t aad_len);

/* ---- Streams: AES-256-GCM for data of any size ----------------------------------------------------------------- *
 *
 * docs/stream-format.md has the format. A stream is encrypted chunk by chunk; chunks that are missing, repeated,
 * exchanged, or of another stream do not get through. Both functions keep several requests in flight, wait out
 * WVDS_RATE_LIMITED, and need the same memory for every size. */

/* wvds_stream_io is how a stream comes and goes. Both functions are called on the caller's thread, with `user_data`,
 * and must not use the session. Progress is what they see pass.
 *
 * `read` fills up to max_out bytes at `out` and says in *out_len how many; 0 is the end, after which it is not called
 * again. When encrypting, `out` is memory that the service can read. It is called ahead of `write`: what it gave is not
 * yet written.
 *
 * `write` takes all of `len` bytes, at least 1, in their order. When decrypting, they are private memory and were
 * authenticated; when encrypting, they lie in memory that the service can still write.
 *
 * What is not WVDS_SUCCESS, and an *out_len over max_out, stops the stream with WVDS_CALLBACK_FAILED. */
typedef struct wvds_stream_io {
  wvds_status (*read)(void* user_data, uint8_t* out, size_t* out_len, size_t max_out);
  wvds_status (*write)(void* user_data, const uint8_t* bytes, size_t len);
  void* user_data;
} wvds_stream_io;

/* wvds_stream_encrypt encrypts all that `read` gives and writes a stream of WVDS_STREAM_SIZE(bytes read) bytes. `aad`
 * is authenticated with every chunk and is not in the stream. On failure what was written is no whole stream:
 * wvds_stream_decrypt refuses it.
 *
 * Errors: those of wvds_aes_encrypt, WVDS_CALLBACK_FAILED, WVDS_DENIED also when the caller has no right to random
 * bytes (the stream's id), WVDS_RATE_LIMITED only after the session's timeout without progress. WVDS_PAYLOAD_TOO_LARGE:
 * aad_len over WVDS_STREAM_MAX_AAD_SIZE, or over 2^32 chunks (240 TiB). */
WVDS_EXPORT wvds_status wvds_stream_encrypt(wvds_session* session, const wvds_stream_io* io, uint32_t key_id,
                                            const uint8_t* aad, size_t aad_len);

/* wvds_stream_decrypt opens what wvds_stream_encrypt wrote, up to the end of the input. key_id 0 means the key that the
 * stream names. Each chunk is handed out when its tag is right; so on failure what was handed out is authentic, but it
 * is not the whole: discard it. The first thing that is wrong in the order of the stream is what is returned. A stream
 * of a key with a replay window opens once.
 *
 * Errors: WVDS_STREAM_UNREADABLE (no stream), WVDS_STREAM_NEWER_VERSION, WVDS_STREAM_TRUNCATED,
 * WVDS_STREAM_OUT_OF_ORDER, WVDS_STREAM_FOREIGN_CHUNK, WVDS_STREAM_DATA_AFTER_END; those of wvds_aes_decrypt (wrong
 * key, AAD or bytes: WVDS_DECRYPTION_FAILED); WVDS_CALLBACK_FAILED; WVDS_RATE_LIMITED as above; WVDS_PAYLOAD_TOO_LARGE
 * (aad_len). */
WVDS_EXPORT wvds_status wvds_stream_decrypt(wvds_session* session, const wvds_stream_io* io, uint32_t key_id,
                                            const uint8_t* aad, size_t aad_len);

/* wvds_stream_key tells which key a stream names, from its beginning (WVDS_STREAM_HEADER_SIZE bytes or more). Nothing
 * is authenticated by that. Needs no session.
 *
 * Errors: WVDS_STREAM_UNREADABLE, WVDS_STREAM_NEWER_VERSION, WVDS_STREAM_TRUNCATED. */
WVDS_EXPORT wvds_status wvds_stream_key(uint32_t* out_key_id, const uint8_t* start, size_t start_len);

/* ---- Public keys as inputs ------------------------------------------------------------------------------------- */

/* wvds_public_key names a public key: by the id of a key in the service, or by algorithm and the raw bytes of FIPS
 * 203/204, of ECDSA those of the uncompressed point. */
typedef struct wvds_public_key {
  uint32_t key_id;          /* 0: the bytes count */
  wvds_algorithm algorithm; /* 0 with a key id */
  const uint8_t* bytes;
  size_t len;
} wvds_public_key;

static inline wvds_public_key wvds_public_key_by_id(uint32_t key_id) {
  wvds_public_key key = {0, 0, NULL, 0};
  key.key_id = key_id;
  return key;
}

static inline wvds_public_key wvds_public_key_raw(wvds_algorithm algorithm, const uint8_t* bytes, size_t len) {
  wvds_public_key key = {0, 0, NULL, 0};
  key.algorithm = algorithm;
  key.bytes = bytes;
  key.len = len;
  return key;
}

/* ---- ML-DSA (FIPS 204) ----------------------------------------------------------------------------------------- */

enum {
  /* Sign without fresh randomness (FIPS 204, section 3.4, deterministic variant). The default is the hedged variant. */
  WVDS_MLDSA_DETERMINISTIC = 0x01,
  /* The message is the 64-byte mu of FIPS 204, algorithm 7, line 6, which the caller computed: for messages of any
   * size. The context is already in mu, so context_len must be 0. To sign it the key needs WVDS_USAGE_SIGN_MU. */
  WVDS_MLDSA_EXTERNAL_MU = 0x02
};

/* wvds_mldsa_sign signs (FIPS 204, section 5.2, algorithm 2) with the newest version of the key and writes
 * WVDS_MLDSA_SIGNATURE_SIZE(algorithm of the key) bytes; WVDS_MLDSA_MAX_SIGNATURE_SIZE is enough for every key.
 * `context` has at most 255 bytes; a verifier must give the same. `flags` are those above.
 *
 * Errors: WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE (not made to sign, or retired), WVDS_DENIED
 * (the caller's grant fixes the context, and this is another one or a mu), WVDS_PAYLOAD_TOO_LARGE (message_len +
 * context_len over 65,528), WVDS_BUFFER_TOO_SMALL. A mu that is not 64 bytes or comes with a context is
 * WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_mldsa_sign(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out,
                                        uint32_t key_id, const uint8_t* message, size_t message_len,
                                        const uint8_t* context, size_t context_len, uint32_t flags);

/* wvds_mldsa_verify verifies (FIPS 204, section 5.3, algorithm 3): WVDS_SUCCESS means valid. With a key of the service
 * its newest version is tried first, then its retained ones. `flags` is 0 or WVDS_MLDSA_EXTERNAL_MU.
 *
 * Errors: WVDS_SIGNATURE_INVALID (the signature was checked and is not valid), WVDS_INVALID_PAYLOAD (signature of the
 * wrong length), WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE,
 * WVDS_UNSUPPORTED, WVDS_PAYLOAD_TOO_LARGE (public key, signature, context and message are over 65,524 bytes together).
 * A raw key of the wrong length and a wrong mu are WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_mldsa_verify(wvds_session* session, const wvds_public_key* key, const uint8_t* signature,
                                          size_t signature_len, const uint8_t* message, size_t message_len,
                                          const uint8_t* context, size_t context_len, uint32_t flags);

/* ---- ECDSA (FIPS 186-5) ---------------------------------------------------------------------------------------- *
 *
 * For what can't verify ML-DSA yet, such as today's certificates and TLS: a quantum computer breaks it. */

typedef uint32_t wvds_hash;
enum { WVDS_SHA256 = 1, WVDS_SHA384 = 2, WVDS_SHA512 = 3 };

/* WVDS_ECDSA_DIGEST: the message is its digest already, WVDS_HASH_SIZE(hash) bytes, which the caller computed: for
 * messages of any size. */
enum { WVDS_ECDSA_DIGEST = 0x01 };

/* wvds_ecdsa_sign hashes the message, signs it (FIPS 186-5, section 6.4.1, with a fresh random number each time) with
 * the newest version of the key, and writes a DER Ecdsa-Sig-Value (RFC 3279, section 2.2.3). There must be room for
 * WVDS_ECDSA_MAX_SIGNATURE_SIZE bytes whatever the key. `flags` is 0 or WVDS_ECDSA_DIGEST. Usual are SHA-256 with P-256
 * and SHA-384 with P-384.
 *
 * Errors: WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE (not made to sign, or retired), WVDS_DENIED
 * (also when the caller's grant fixes a context: ECDSA has none), WVDS_PAYLOAD_TOO_LARGE (message_len over 65,530),
 * WVDS_BUFFER_TOO_SMALL. A digest of another length than the hash's is WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_ecdsa_sign(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out,
                                        uint32_t key_id, const uint8_t* message, size_t message_len, wvds_hash hash,
                                        uint32_t flags);

/* wvds_ecdsa_verify verifies (FIPS 186-5, section 6.4.2): WVDS_SUCCESS means valid. With a key of the service its
 * newest version is tried first, then its retained ones. `hash` is the one that was signed with; a signature of a
 * message verifies by its digest too, and the other way round.
 *
 * Errors: WVDS_SIGNATURE_INVALID (the signature was checked and is not valid, or is no DER Ecdsa-Sig-Value),
 * WVDS_INVALID_PAYLOAD (a raw key that is no point of the curve; a signature that is empty or longer than any of the
 * key's algorithm), WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE, WVDS_UNSUPPORTED,
 * WVDS_PAYLOAD_TOO_LARGE (public key, signature and message are over 65,524 bytes together). A raw key of the wrong
 * length and a digest of the wrong length are WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_ecdsa_verify(wvds_session* session, const wvds_public_key* key, const uint8_t* signature,
                                          size_t signature_len, const uint8_t* message, size_t message_len,
                                          wvds_hash hash, uint32_t flags);

/* ---- ML-KEM (FIPS 203) ----------------------------------------------------------------------------------------- */

/* wvds_mlkem_keygen makes a key pair (FIPS 203, section 7.1) and writes its encapsulation key,
 * WVDS_MLKEM_PUBLIC_KEY_SIZE(algorithm) bytes. The default lifetime is the session. usages 0 means encapsulate and
 * decaps-to-key; for wvds_mlkem_decaps ask for WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW.
 *
 * Errors: WVDS_INVALID_PAYLOAD (usages that exclude each other or that ML-KEM does not have), WVDS_LIMIT_REACHED,
 * WVDS_STORAGE_ERROR, WVDS_UNSUPPORTED, WVDS_BUFFER_TOO_SMALL. */
WVDS_EXPORT wvds_status wvds_mlkem_keygen(wvds_session* session, uint32_t* out_key_id, uint8_t* out_public_key,
                                          size_t* out_public_key_len, size_t max_public_key, wvds_algorithm algorithm,
                                          wvds_lifetime lifetime, uint32_t usages);

/* wvds_mlkem_encaps makes a shared secret (32 bytes) and the ciphertext that carries it (FIPS 203, section 7.2), to
 * `key`. Writes WVDS_MLKEM_CIPHERTEXT_SIZE(algorithm) bytes of ciphertext. The caller wipes the secret after use;
 * wvds_mlkem_encaps_to_key keeps it inside the service instead.
 *
 * Errors: WVDS_INVALID_PAYLOAD (the raw key fails the modulus check of section 7.2), WVDS_KEY_NOT_FOUND,
 * WVDS_WRONG_KEY_TYPE, WVDS_WRONG_KEY_USAGE, WVDS_UNSUPPORTED, WVDS_BUFFER_TOO_SMALL. A raw key of the wrong length is
 * WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_mlkem_encaps(wvds_session* session,
                                          uint8_t out_shared_secret[WVDS_MLKEM_SHARED_SECRET_SIZE],
                                          uint8_t* out_ciphertext, size_t* out_ciphertext_len, size_t max_ciphertext,
                                          const wvds_public_key* key);

/* wvds_mlkem_decaps takes the shared secret out of a ciphertext (FIPS 203, section 7.3). The key must have been made
 * with WVDS_USAGE_DECAPS_RAW. A forged ciphertext of the right length is no error: by implicit rejection it yields
 * another, unpredictable secret, and what was protected with the right one does not open. The caller wipes the secret
 * after use.
 *
 * Errors: WVDS_INVALID_PAYLOAD (ciphertext of the wrong length), WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_TYPE,
 * WVDS_WRONG_KEY_USAGE. */
WVDS_EXPORT wvds_status wvds_mlkem_decaps(wvds_session* session,
                                          uint8_t out_shared_secret[WVDS_MLKEM_SHARED_SECRET_SIZE], uint32_t key_id,
                                          const uint8_t* ciphertext, size_t ciphertext_len);

enum {
  WVDS_DERIVE_DUPLEX = 0x01,           /* a key for each direction */
  WVDS_DERIVE_REPLAY_WINDOW_OFF = 0x02 /* for the key that decrypts; see WVDS_KEY_REPLAY_WINDOW_OFF */
};

/* wvds_derivation says what is made of a shared secret. Both sides must give the same context and agree on
 * WVDS_DERIVE_DUPLEX. All 0 is the default: one key, for the session, without context. */
typedef struct wvds_derivation {
  wvds_lifetime lifetime; /* default: session */
  uint32_t flags;
  const uint8_t* context; /* what the keys are for; at most WVDS_MLKEM_MAX_CONTEXT_SIZE bytes */
  size_t context_len;
} wvds_derivation;

/* wvds_mlkem_encaps_to_key encapsulates to `key` like wvds_mlkem_encaps, but turns the shared secret into an
 * AES-256-GCM key inside the service (HKDF-SHA256; docs/protocol.md, "Key from KEM"). The caller gets the ciphertext to
 * send and the id of a key that only encrypts; with WVDS_DERIVE_DUPLEX also one that only decrypts what the other side
 * sends back. out_decrypt_key_id may be NULL without WVDS_DERIVE_DUPLEX. `derivation` may be NULL. When `key` is an id,
 * there must be room for WVDS_MLKEM_MAX_CIPHERTEXT_SIZE bytes.
 *
 * Errors: those of wvds_mlkem_encaps, and WVDS_LIMIT_REACHED, WVDS_STORAGE_ERROR. */
WVDS_EXPORT wvds_status wvds_mlkem_encaps_to_key(wvds_session* session, uint32_t* out_encrypt_key_id,
                                                 uint32_t* out_decrypt_key_id, uint8_t* out_ciphertext,
                                                 size_t* out_ciphertext_len, size_t max_ciphertext,
                                                 const wvds_public_key* key, const wvds_derivation* derivation);

/* wvds_mlkem_decaps_to_key is the other side: it decapsulates with key_id, which must have been made with
 * WVDS_USAGE_DECAPS_TO_KEY, and gives the id of a key that only decrypts; with WVDS_DERIVE_DUPLEX also one that only
 * encrypts. out_encrypt_key_id may be NULL without WVDS_DERIVE_DUPLEX. `derivation` may be NULL. Implicit rejection
 * holds here too: after a forged ciphertext the key exists and opens nothing.
 *
 * Errors: those of wvds_mlkem_decaps, and WVDS_LIMIT_REACHED, WVDS_STORAGE_ERROR. */
WVDS_EXPORT wvds_status wvds_mlkem_decaps_to_key(wvds_session* session, uint32_t* out_encrypt_key_id,
                                                 uint32_t* out_decrypt_key_id, uint32_t key_id,
                                                 const uint8_t* ciphertext, size_t ciphertext_len,
                                                 const wvds_derivation* derivation);

/* ---- Key management -------------------------------------------------------------------------------------------- */

/* wvds_key_template says what a new key shall be. Initialise it with {0} or named members: 0 means the default, and
 * what is reserved must be 0. */
typedef struct wvds_key_template {
  wvds_algorithm algorithm;
  wvds_lifetime lifetime; /* default: persistent */
  uint32_t usages;        /* WVDS_USAGE_ bits; 0: the algorithm's default */
  uint32_t flags;         /* WVDS_KEY_REPLAY_WINDOW_OFF, WVDS_KEY_INSIDE_TOKEN or 0 */
  const char* label;      /* UTF-8 without control characters, at most WVDS_MAX_LABEL_SIZE bytes; NULL: none */
  uint64_t max_uses; /* encryptions, signatures or decapsulations of one version, at most WVDS_MAX_USES; 0: no limit */
  uint64_t not_before; /* seconds since 1970, up to the year 9999: no use before; 0: at once */
  uint64_t not_after;  /* and protects nothing after: it then only decrypts, verifies, decapsulates; 0: for ever */
  uint64_t reserved[2];
} wvds_key_template;

/* wvds_key_generate makes a key. All but AES keys have a public key: it is written when out_public_key is not NULL
 * (WVDS_MAX_PUBLIC_KEY_SIZE is enough for every algorithm). For an AES key its length is 0. With NULL,
 * out_public_key_len may be NULL too.
 *
 * Errors: WVDS_INVALID_PAYLOAD (usages that the algorithm does not have or that exclude each other, a label that is no
 * text, max_uses for a key that does not encrypt, sign or decapsulate), WVDS_LIMIT_REACHED, WVDS_STORAGE_ERROR (no key
 * was made), WVDS_UNSUPPORTED, WVDS_BUFFER_TOO_SMALL. Dates that don't follow each other are WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_key_generate(wvds_session* session, uint32_t* out_key_id, uint8_t* out_public_key,
                                          size_t* out_public_key_len, size_t max_public_key,
                                          const wvds_key_template* key);

typedef uint32_t wvds_key_format;
enum {
  WVDS_KEY_FORMAT_RAW = 1,  /* AES-256 key, 32 bytes; ECDSA: private scalar, big-endian, WVDS_ECDSA_SCALAR_SIZE */
  WVDS_KEY_FORMAT_SEED = 2, /* ML-DSA: xi, 32 bytes (FIPS 204, algorithm 1); ML-KEM: d || z, 64 bytes (FIPS 203, 7.1) */
  WVDS_KEY_FORMAT_PKCS8 = 3, /* DER PrivateKeyInfo that holds the seed (RFC 9881, RFC 9935); ECDSA: RFC 5915, with the
                                curve by name */
  WVDS_KEY_FORMAT_PUBLIC = 4 /* raw public key: a key that only verifies or encapsulates */
};

/* wvds_key_import brings a key into the service; nothing brings one out. It is a right of its own. Outputs are those of
 * wvds_key_generate. For a public key usages 0 means verify or encapsulate. The library keeps no copy of `material`;
 * the caller wipes its own.
 *
 * Errors: those of wvds_key_generate; WVDS_INVALID_PAYLOAD also for material that is no key of the algorithm,
 * WVDS_UNSUPPORTED also for a PKCS#8 file without the seed. Material of a length that the format does not have is
 * WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_key_import(wvds_session* session, uint32_t* out_key_id, uint8_t* out_public_key,
                                        size_t* out_public_key_len, size_t max_public_key, const wvds_key_template* key,
                                        wvds_key_format format, const uint8_t* material, size_t material_len);

/* wvds_key_public writes the raw public key of a version; version 0 is the newest. WVDS_MAX_PUBLIC_KEY_SIZE is enough.
 *
 * Errors: WVDS_KEY_NOT_FOUND (no such key or version), WVDS_WRONG_KEY_TYPE (AES), WVDS_BUFFER_TOO_SMALL. */
WVDS_EXPORT wvds_status wvds_key_public(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out,
                                        uint32_t key_id, uint32_t version);

/* wvds_key_entry is one line of wvds_key_list. */
typedef struct wvds_key_entry {
  uint32_t key_id;
  wvds_algorithm algorithm;
  wvds_lifetime lifetime;
  uint32_t usages;
  uint32_t num_versions;
  char label[WVDS_MAX_LABEL_SIZE + 1u];
} wvds_key_entry;

/* wvds_key_list writes the keys that the caller owns or was granted, in the order of ids, starting after `after_key_id`
 * (0: from the start): at most max_num, and at most WVDS_MAX_KEY_LIST in one call. *out_more is 1 when there are more:
 * call again with the last id. */
WVDS_EXPORT wvds_status wvds_key_list(wvds_session* session, wvds_key_entry* out, size_t* out_num, size_t max_num,
                                      int* out_more, uint32_t after_key_id);

enum { WVDS_KEY_VERSION_ACTIVE = 1, WVDS_KEY_VERSION_RETIRED = 2 };

/* Where the secret lives at rest. */
enum {
  WVDS_PLACE_MEMORY = 0,      /* nowhere: session and volatile keys */
  WVDS_PLACE_FILE = 1,        /* encrypted file; its key-encryption key comes from a key file or passphrase */
  WVDS_PLACE_TPM = 2,         /* encrypted file; its key-encryption key is sealed to a TPM 2.0 */
  WVDS_PLACE_HSM_WRAPPED = 3, /* encrypted file; its key-encryption key stays in a PKCS#11 token */
  WVDS_PLACE_HSM_INSIDE = 4   /* inside the PKCS#11 token */
};

typedef struct wvds_key_version {
  uint32_t number;
  uint32_t state;           /* WVDS_KEY_VERSION_ACTIVE or _RETIRED */
  uint64_t uses;            /* an upper bound: uses that were reserved ahead count */
  uint64_t use_limit;       /* 0: none; the key's max_uses or the service's own limit, whichever is lower */
  uint32_t window_used;     /* nonces remembered */
  uint32_t window_capacity; /* 0: no replay window */
} wvds_key_version;

typedef struct wvds_key_details {
  uint32_t key_id;
  wvds_algorithm algorithm;
  wvds_lifetime lifetime;
  uint32_t usages;
  uint32_t flags;
  uint32_t place;
  char owner[WVDS_MAX_OWNER_SIZE + 1u];
  char label[WVDS_MAX_LABEL_SIZE + 1u];
  uint32_t num_versions;
  wvds_key_version versions[WVDS_MAX_KEY_VERSIONS]; /* newest first */
  uint32_t is_inside_fips;                          /* 1: OpenSSL's FIPS module serves the key's algorithm */
  char provider[WVDS_MAX_PROVIDER_SIZE + 1u];       /* that serves it, name and version */
  uint64_t max_uses, not_before, not_after;         /* as in wvds_key_template */
  uint64_t reserved[4];
} wvds_key_details;

/* wvds_key_info describes a key. Errors: WVDS_KEY_NOT_FOUND. */
WVDS_EXPORT wvds_status wvds_key_info(wvds_session* session, wvds_key_details* out, uint32_t key_id);

/* wvds_key_rotate makes a new version of an AES, ML-DSA or ECDSA key. Encryption and signing use the newest version;
 * decryption and verification also try the retained ones, so nothing becomes unreadable. For a key that signs the new
 * public key is written when out_public_key is not NULL; max_public_key must be at least WVDS_MAX_PUBLIC_KEY_SIZE then.
 * With NULL, out_public_key_len may be NULL too.
 *
 * Errors: WVDS_LIMIT_REACHED (the key has WVDS_MAX_KEY_VERSIONS: delete its oldest first), WVDS_WRONG_KEY_TYPE (ML-KEM:
 * a ciphertext does not say its key, so make a new key; public keys), WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_USAGE
 * (retired), WVDS_KEY_NOT_VALID (after not_after: a new version has the same dates, and max_uses afresh),
 * WVDS_STORAGE_ERROR, WVDS_BUFFER_TOO_SMALL. */
WVDS_EXPORT wvds_status wvds_key_rotate(wvds_session* session, uint32_t* out_version, uint8_t* out_public_key,
                                        size_t* out_public_key_len, size_t max_public_key, uint32_t key_id);

/* wvds_key_retire ends encryption, signing and encapsulation with a key, for good; decryption, verification and
 * decapsulation go on. Retiring twice is no error. Errors: WVDS_KEY_NOT_FOUND, WVDS_STORAGE_ERROR. */
WVDS_EXPORT wvds_status wvds_key_retire(wvds_session* session, uint32_t key_id);

/* wvds_key_delete deletes one version of a key, or with version 0 the whole key, for good.
 *
 * Errors: WVDS_KEY_NOT_FOUND, WVDS_WRONG_KEY_USAGE (the active version of a key that has others: rotate or retire the
 * key first), WVDS_STORAGE_ERROR. */
WVDS_EXPORT wvds_status wvds_key_delete(wvds_session* session, uint32_t key_id, uint32_t version);

/* ---- Random bytes and the service ------------------------------------------------------------------------------ */

/* wvds_random fills `out` with 1 to WVDS_MAX_RANDOM_SIZE bytes of the service's approved generator (SP 800-90A). */
WVDS_EXPORT wvds_status wvds_random(wvds_session* session, uint8_t* out, size_t out_len);

/* wvds_ping makes an empty round trip. */
WVDS_EXPORT wvds_status wvds_ping(wvds_session* session);

enum { WVDS_FIPS_MODE_OFF = 0, WVDS_FIPS_MODE_PREFERRED = 1, WVDS_FIPS_MODE_REQUIRED = 2 };
enum {
  WVDS_FIPS_OFF = 0,        /* not asked for */
  WVDS_FIPS_ACTIVE = 1,     /* self-test passed; every algorithm comes from the FIPS provider, but for those that
                               wvds_capabilities shows outside it because the configuration names an engine for them */
  WVDS_FIPS_UNAVAILABLE = 2 /* preferred, but not to be had: another provider serves */
};

typedef struct wvds_service_state {
  uint32_t fips_mode;
  uint32_t fips_state;
  uint32_t memory_is_locked; /* 1: secrets cannot reach swap space */
  uint32_t place;            /* WVDS_PLACE_ of stored keys */
  uint64_t epoch;
  uint64_t uptime_ms;
  uint32_t num_sessions;
  uint32_t max_sessions;
  uint32_t num_persistent_keys;
  uint32_t num_memory_keys; /* session and volatile */
  char service_version[64];
  char library_version[128]; /* of the cryptographic library */
  char provider[256];        /* of the cryptography; behind it the engines that the configuration names */
  uint32_t num_warnings;
  char warnings[4096]; /* one a line; what does not fit is left out, and num_warnings counts it */
  uint64_t reserved[4];
} wvds_service_state;

/* wvds_status_get asks the service how it is. */
WVDS_EXPORT wvds_status wvds_status_get(wvds_session* session, wvds_service_state* out);

typedef uint32_t wvds_operation;
enum {
  WVDS_OP_AES_ENCRYPT = 0x01,
  WVDS_OP_AES_DECRYPT = 0x02,
  WVDS_OP_MLDSA_SIGN = 0x10,
  WVDS_OP_MLDSA_VERIFY = 0x11,
  WVDS_OP_ECDSA_SIGN = 0x18,
  WVDS_OP_ECDSA_VERIFY = 0x19,
  WVDS_OP_MLKEM_KEYGEN = 0x20,
  WVDS_OP_MLKEM_ENCAPS = 0x21,
  WVDS_OP_MLKEM_DECAPS = 0x22,
  WVDS_OP_MLKEM_ENCAPS_TO_KEY = 0x23,
  WVDS_OP_MLKEM_DECAPS_TO_KEY = 0x24,
  WVDS_OP_KEY_GENERATE = 0x30,
  WVDS_OP_KEY_IMPORT = 0x31,
  WVDS_OP_KEY_PUBLIC = 0x32,
  WVDS_OP_KEY_LIST = 0x33,
  WVDS_OP_KEY_INFO = 0x34,
  WVDS_OP_KEY_ROTATE = 0x35,
  WVDS_OP_KEY_RETIRE = 0x36,
  WVDS_OP_KEY_DELETE = 0x37,
  WVDS_OP_RANDOM = 0x40,
  WVDS_OP_PING = 0x50,
  WVDS_OP_STATUS = 0x51,
  WVDS_OP_CAPABILITIES = 0x52,
  WVDS_OP_METRICS = 0x53,
  WVDS_OP_EST_STATUS = 0x60,
  WVDS_OP_EST_CERTIFICATE = 0x61,
  WVDS_OP_EST_CA_CERTIFICATES = 0x62,
  WVDS_OP_EST_WAIT = 0x63,
  WVDS_OP_EST_RENEW = 0x64,
  WVDS_OP_EST_RELAY = 0x65
};

/* wvds_operation_name returns the name in docs/protocol.md ("AES_ENCRYPT"), or NULL. The text is static. */
WVDS_EXPORT const char* wvds_operation_name(wvds_operation operation);

/* wvds_quota is a limit of the caller and what is used of it now. More may be used than the limit allows: an operator
 * can lower limits. */
typedef struct wvds_quota {
  uint64_t limit;
  uint64_t used;
} wvds_quota;

/* Bits of wvds_algorithm_offer.import_formats: the bit of a WVDS_KEY_FORMAT_ is 1 << (format - 1). */
#define WVDS_KEY_FORMAT_BIT(format) (1u << ((format) - 1u))

#define WVDS_MAX_ALGORITHMS 32u

/* wvds_algorithm_offer is an algorithm as the service has it. Keys of every algorithm can have each lifetime. */
typedef struct wvds_algorithm_offer {
  wvds_algorithm algorithm;
  uint32_t is_inside_fips;  /* 1: OpenSSL's FIPS module serves it */
  uint32_t can_rotate;      /* 1: wvds_key_rotate makes new versions of its keys */
  uint32_t possible_usages; /* WVDS_USAGE_ bits that a key of it can have */
  uint32_t default_usages;  /* what usages 0 stands for */
  uint32_t import_formats;  /* that wvds_key_import takes for it */
  uint32_t secret_size;     /* of the AES key, seed or scalar, in bytes as the next three; 0 where it has none */
  uint32_t public_key_size;
  uint32_t signature_size;                    /* of ECDSA the longest */
  uint32_t ciphertext_size;                   /* of ML-KEM */
  char provider[WVDS_MAX_PROVIDER_SIZE + 1u]; /* that serves it, name and version */
  uint8_t can_be_inside_token;                /* 1: keys of it can be made with WVDS_KEY_INSIDE_TOKEN */
  uint8_t reserved[30];
} wvds_algorithm_offer;

enum {
  WVDS_NONCES_COUNTER = 0, /* SP 800-38D, section 8.2.1 */
  WVDS_NONCES_RANDOM = 1   /* section 8.2.2 */
};

typedef struct wvds_capability_list {
  uint32_t protocol_version;
  uint32_t fips_state;
  uint32_t num_slots; /* requests that a session can have in flight */
  uint32_t max_request_payload;
  uint32_t max_answer_payload;
  uint32_t max_aes_size;           /* plaintext and AAD of one request together */
  uint32_t max_mldsa_message_size; /* that fits every request to sign or verify; longer ones go by their mu */
  uint32_t max_random_size;
  uint32_t requests_per_second; /* of the caller, over all its sessions; 0: unlimited */
  uint32_t burst;
  uint32_t cooldown_ms; /* from the first refused request on everything is refused for so long */
  uint32_t nonces;      /* WVDS_NONCES_ */
  uint32_t max_key_versions;
  uint32_t window_capacity; /* nonces that a version of an AES key remembers */
  uint64_t use_limit;       /* encryptions of one version of an AES key */
  wvds_quota sessions;
  wvds_quota session_keys; /* over all the caller's sessions, as all that follow */
  wvds_quota volatile_keys;
  wvds_quota persistent_keys;
  wvds_quota keys_per_minute; /* used: what can't be made right now; it comes back with time */
  wvds_quota store_bytes;
  wvds_quota window_bytes; /* memory of replay windows */
  uint32_t num_operations;
  uint32_t num_algorithms;
  uint8_t operations[256];                              /* WVDS_OP_ values that the caller may use */
  wvds_algorithm_offer algorithms[WVDS_MAX_ALGORITHMS]; /* that the service has */
  uint64_t reserved[8];
} wvds_capability_list;

/* wvds_capabilities asks what the service offers to this caller, and what of the caller's limits is used now. */
WVDS_EXPORT wvds_status wvds_capabilities(wvds_session* session, wvds_capability_list* out);

/* The functions that follow read such a list. They send nothing, so a program asks once and decides before it fails:
 *
 *     if (!wvds_can(&offer, WVDS_OP_MLDSA_SIGN) || !wvds_has_algorithm(&offer, WVDS_MLDSA_65)) say_so_and_stop();
 */

/* wvds_can is 1 when the caller may use the operation. */
static inline int wvds_can(const wvds_capability_list* offer, wvds_operation operation) {
  uint32_t i;
  for (i = 0; i < offer->num_operations; ++i) {
    if (offer->operations[i] == operation) return 1;
  }
  return 0;
}

/* wvds_find_algorithm returns what the service says of an algorithm; NULL when it does not have it. */
static inline const wvds_algorithm_offer* wvds_find_algorithm(const wvds_capability_list* offer,
                                                              wvds_algorithm algorithm) {
  uint32_t i;
  for (i = 0; i < offer->num_algorithms; ++i) {
    if (offer->algorithms[i].algorithm == algorithm) return &offer->algorithms[i];
  }
  return NULL;
}

/* wvds_has_algorithm is 1 when the service has the algorithm. */
static inline int wvds_has_algorithm(const wvds_capability_list* offer, wvds_algorithm algorithm) {
  return wvds_find_algorithm(offer, algorithm) != NULL;
}

/* wvds_left is what a limit still allows: another session of the same caller may take it first. */
static inline uint64_t wvds_left(const wvds_quota* quota) {
  return quota->used < quota->limit ? quota->limit - quota->used : 0;
}

/* Limits of wvds_metrics' arrays */
enum {
  WVDS_METRICS_NUM_STATUSES = 32,
  WVDS_METRICS_NUM_LATENCIES = 22,
  WVDS_METRICS_MAX_OPERATIONS = 48,
  WVDS_METRICS_MAX_KEYS = 8
};

/* WVDS_LATENCY_LIMIT_NS is the longest time, in nanoseconds, that num_by_latency[i] counts; what took longer than that
 * of the last but one is counted in the last. */
#define WVDS_LATENCY_LIMIT_NS(i) ((uint64_t)256 << (i))

/* wvds_operation_metrics counts the requests of one operation. Latency is the time from when the service takes a request
 * until its answer is written, without the way there and back. In each session one request in 16 of an operation is
 * timed, the first always, whatever its outcome. */
typedef struct wvds_operation_metrics {
  wvds_operation operation; /* 0: what was no request of any operation */
  uint32_t reserved;
  uint64_t num_requests;                             /* with any outcome */
  uint64_t num_by_status[WVDS_METRICS_NUM_STATUSES]; /* a status this library does not know is in num_requests only */
  uint64_t num_timed;
  uint64_t timed_ns; /* of all timed requests together */
  uint64_t num_by_latency[WVDS_METRICS_NUM_LATENCIES];
} wvds_operation_metrics;

/* How much of its limit a key version has used */
enum {
  WVDS_USE_LEVEL_UNDER_50 = 0, /* per cent */
  WVDS_USE_LEVEL_UNDER_75 = 1,
  WVDS_USE_LEVEL_UNDER_90 = 2,
  WVDS_USE_LEVEL_UNDER_100 = 3,
  WVDS_USE_LEVEL_USED_UP = 4,
  WVDS_NUM_USE_LEVELS = 5
};

/* wvds_key_use_metrics is a key version that is near its limit. It may be any client's. */
typedef struct wvds_key_use_metrics {
  uint32_t key_id;
  uint32_t version;
  uint64_t uses; /* an upper bound, as in wvds_key_version */
  uint64_t use_limit;
} wvds_key_use_metrics;

/* wvds_metrics is the state of the whole service. What counts events begins with 0 at each start of the service. About
 * 23 KB: not for a small stack. */
typedef struct wvds_metrics {
  uint64_t epoch;
  uint64_t uptime_ms;
  uint32_t fips_mode;
  uint32_t fips_state;
  uint32_t memory_is_locked;
  uint32_t place; /* WVDS_PLACE_ of stored keys */
  uint32_t num_sessions;
  uint32_t max_sessions;
  uint32_t num_warnings;      /* as in wvds_service_state */
  uint32_t reservations_fail; /* 1: the store's disk takes no reservations; encryption and new keys will fail soon */
  uint64_t num_sessions_opened;
  uint64_t num_refused_strangers;     /* sessions refused, WVDS_DENIED: no client of the configuration */
  uint64_t num_refused_service_limit; /* WVDS_LIMIT_REACHED: all sessions of the service are in use */
  uint64_t
      num_refused_client_limit;   /* WVDS_LIMIT_REACHED: all sessions of that client are in use, or memory is short */
  uint64_t num_refused_not_ready; /* WVDS_NOT_READY: the service is stopping */
  uint64_t num_wasted_wakeups;    /* a client woke its worker for nothing */
  uint64_t num_rate_limited;      /* requests answered WVDS_RATE_LIMITED */
  uint64_t locked_bytes;          /* of locked memory that are in use */
  uint64_t max_locked_bytes;
  uint64_t window_bytes; /* of memory that replay windows take */
  uint64_t max_window_bytes;
  uint32_t num_session_keys;
  uint32_t num_volatile_keys;
  uint32_t num_persistent_keys;
  uint32_t num_damaged_keys;                      /* whose record can't be used */
  uint32_t num_by_use_level[WVDS_NUM_USE_LEVELS]; /* key versions that encrypt */
  uint32_t num_reloads;                           /* of the configuration */
  uint32_t num_failed_reloads;                    /* the old configuration stayed in force */
  uint32_t num_operations;                        /* that were asked for; only so many operations[] are filled */
  uint32_t num_keys;
  wvds_key_use_metrics keys[WVDS_METRICS_MAX_KEYS]; /* the fullest first; without unused ones */
  wvds_operation_metrics operations[WVDS_METRICS_MAX_OPERATIONS];
  uint64_t audit_entry;    /* number of the audit log's last entry; 0: there is none */
  uint64_t num_audit_lost; /* entries that could not be written */
  uint8_t audit_hash[32];  /* of the last entry: whoever keeps it elsewhere sees whether the log was changed */
  uint64_t reserved[2];
} wvds_metrics;

/* wvds_metrics_get asks for the counters of the whole service. They show what other clients do, so the configuration
 * grants them apart from wvds_status_get. Some microseconds, and more with many keys. Operations of a newer service than
 * there is room for are left out. */
WVDS_EXPORT wvds_status wvds_metrics_get(wvds_session* session, wvds_metrics* out);

/* ---- Certificates: est_service --------------------------------------------------------------------------------- *
 *
 * est_service enrols the device's certificates and renews them (RFC 7030); their keys stay in crypto_service. These
 * functions take a session with it: wvds_connect(&session, "/run/wvds/est.sock", WVDS_DEFAULT_TIMEOUT). On any other
 * session they return WVDS_INVALID_TYPE, as all others but wvds_ping do on this one. Times are seconds since 1970; 0:
 * none. Texts are UTF-8 without control characters, cut where they are longer than their room. */

#define WVDS_EST_MAX_CERTIFICATES 16u
#define WVDS_EST_MAX_NAME_SIZE 32u /* without the final NUL, as the three that follow */
#define WVDS_EST_MAX_SUBJECT_SIZE 256u
#define WVDS_EST_MAX_DETAIL_SIZE 512u
#define WVDS_EST_MAX_ADVICE_SIZE 256u
#define WVDS_EST_MAX_PEM_SIZE 1048576u /* is enough, with the final NUL, for each chain and all CA certificates */
#define WVDS_EST_MAX_RELAY_SIZE 32768u

enum {
  WVDS_EST_MISSING = 0, /* no certificate yet; est_service is trying */
  WVDS_EST_WAITING = 1, /* none yet; the server took the request and answers later */
  WVDS_EST_VALID = 2,
  WVDS_EST_DUE = 3,    /* valid; its renewal has begun, or failed so far */
  WVDS_EST_EXPIRED = 4 /* est_service is trying */
};

/* wvds_est_failure is what went wrong last. All empty after a success. */
typedef struct wvds_est_failure {
  uint64_t at;
  char name[WVDS_EST_MAX_NAME_SIZE + 1u];     /* one word for programs, such as "name-mismatch": docs/est.md */
  char detail[WVDS_EST_MAX_DETAIL_SIZE + 1u]; /* may quote the server */
  char advice[WVDS_EST_MAX_ADVICE_SIZE + 1u]; /* what helps */
} wvds_est_failure;

typedef struct wvds_est_certificate_state {
  char name[WVDS_EST_MAX_NAME_SIZE + 1u];
  char subject[WVDS_EST_MAX_SUBJECT_SIZE + 1u];
  uint32_t phase;           /* WVDS_EST_MISSING and so on */
  wvds_algorithm key_type;  /* of its key */
  uint32_t key_id;          /* of its key in crypto_service; 0 without a certificate */
  uint32_t previous_key_id; /* of the certificate before, while that may still be in use */
  uint32_t num_failures;    /* since the last success */
  uint64_t not_before;
  uint64_t not_after;
  uint64_t renew_at;
  uint64_t next_attempt;   /* not before, after a failure or when the server answers later */
  uint8_t fingerprint[32]; /* SHA-256 */
  wvds_est_failure failure;
  uint64_t reserved[4];
} wvds_est_certificate_state;

typedef struct wvds_est_state {
  uint64_t generation;    /* for wvds_est_wait */
  uint64_t num_attempts;  /* that were finished, whatever came of them */
  uint64_t ca_fetched_at; /* when the CA certificates were fetched last */
  wvds_est_failure ca_failure;
  uint32_t num_certificates;
  wvds_est_certificate_state certificates[WVDS_EST_MAX_CERTIFICATES];
  uint64_t reserved[4];
} wvds_est_state;

/* wvds_est_status asks how certificates and renewal are. About 21 KB: not for a small stack. */
WVDS_EXPORT wvds_status wvds_est_status(wvds_session* session, wvds_est_state* out);

enum { WVDS_EST_CURRENT = 0, WVDS_EST_PREVIOUS = 1 };
/* wvds_est_certificate writes a certificate with its chain as PEM, the leaf first, with a final NUL that *out_len does
 * not count, and the id of its key in crypto_service. `which` is WVDS_EST_CURRENT, or WVDS_EST_PREVIOUS for the one
 * before. 64 KB are enough for any usual chain, also with ML-DSA-87. Chain and key belong together, whatever changes
 * meanwhile.
 *
 * Errors: WVDS_CERTIFICATE_NOT_FOUND (none of this name, or not yet), WVDS_BUFFER_TOO_SMALL. A name that can be none
 * is WVDS_INVALID_ARGUMENT. */
WVDS_EXPORT wvds_status wvds_est_certificate(wvds_session* session, char* out, size_t* out_len, size_t max_out,
                                             uint32_t* out_key_id, const char* name, uint32_t which);

/* wvds_est_ca_certificates writes, in the same way, the CA's certificates: the roots that were accepted, then others.
 * Errors: WVDS_CERTIFICATE_NOT_FOUND (none yet), WVDS_BUFFER_TOO_SMALL. */
WVDS_EXPORT wvds_status wvds_est_ca_certificates(wvds_session* session, char* out, size_t* out_len, size_t max_out);

/* wvds_est_wait blocks until the generation is another than `known`, at most timeout_ms, and gives the new one.
 * `known` is 0, or from wvds_est_status or this function. Generations begin anew when est_service does (wvds_epoch).
 * Other calls of the session wait behind it for up to a second; a session of its own holds up nobody.
 * Errors: WVDS_TIMEOUT (nothing changed), WVDS_NOT_READY (est_service is stopping). */
WVDS_EXPORT wvds_status wvds_est_wait(wvds_session* session, uint64_t* out_generation, uint64_t known,
                                      uint32_t timeout_ms);

enum { WVDS_EST_RENEW_NOW = 0x01 }; /* also where the certificate is not due */
/* wvds_est_renew asks est_service to try now, whatever next_attempt says: to enrol or renew the certificate of this
 * name, or for "" or NULL to fetch the CA certificates. Returns at once; wvds_est_status tells what comes of it.
 *
 * Errors: WVDS_CERTIFICATE_NOT_FOUND (none of this name). */
WVDS_EXPORT wvds_status wvds_est_renew(wvds_session* session, const char* name, uint32_t flags);

/* ---- A relay for est_service ----------------------------------------------------------------------------------- *
 *
 * Where est_service has no network, a program with the right est-relay connects and carries bytes for it. They are TLS:
 * the relay can hold them up, not read or change them unseen. It takes one task after the other, and with the next call
 * says what came of the last one; examples/est_relay does it with sockets. */

enum {
  WVDS_EST_TASK_NOTHING = 0, /* none came in time; call again */
  WVDS_EST_TASK_CONNECT = 1, /* to `host` and `port` over TCP: CONNECTED or FAILED */
  WVDS_EST_TASK_SEND = 2,    /* all `len` bytes: SENT or FAILED */
  WVDS_EST_TASK_RECEIVE = 3, /* wait a second at most for up to `len` bytes: RECEIVED, ENDED, FAILED, or NOTHING yet */
  WVDS_EST_TASK_CLOSE = 4    /* forget the connection: NOTHING */
};

typedef struct wvds_est_task {
  uint32_t task;
  uint32_t connection; /* est_service's number for it, never 0 */
  uint32_t port;
  size_t len;
  char host[256]; /* name or IP address */
} wvds_est_task;

enum {
  WVDS_EST_EVENT_NOTHING = 0, /* also at first */
  WVDS_EST_EVENT_CONNECTED = 1,
  WVDS_EST_EVENT_SENT = 2,
  WVDS_EST_EVENT_RECEIVED = 3, /* `len` bytes, at least 1 and at most as many as the task wanted */
  WVDS_EST_EVENT_ENDED = 4,    /* the server sends nothing more */
  WVDS_EST_EVENT_FAILED = 5    /* `bytes` may say why, at most 256 */
};

typedef struct wvds_est_event {
  uint32_t event;      /* WVDS_EST_EVENT_ */
  uint32_t connection; /* the task's */
  const uint8_t* bytes;
  size_t len;
} wvds_est_event;

/* wvds_est_relay reports `event` (NULL: nothing) and waits at most timeout_ms for a task. The bytes to send are written
 * to `out`, where max_out must be at least WVDS_EST_MAX_RELAY_SIZE. The connections end with the session, and one ends
 * when its CONNECT or SEND is not reported by the next call.
 *
 * Errors: WVDS_INVALID_PAYLOAD (an event that the last task does not have), WVDS_RATE_LIMITED (call again with the same
 * event), WVDS_NOT_READY (est_service is stopping, or does not use a relay), WVDS_BUFFER_TOO_SMALL. After any other
 * error close all connections and reconnect. */
WVDS_EXPORT wvds_status wvds_est_relay(wvds_session* session, wvds_est_task* out_task, uint8_t* out, size_t max_out,
                                       const wvds_est_event* event, uint32_t timeout_ms);

/* ---- Requests in place, and several at once -------------------------------------------------------------------- *
 *
 * The functions above copy the caller's bytes in and the answer out. Those below hand out the shared memory itself:
 *
 *     wvds_aes_encrypt_begin(session, &call, &plaintext, NULL, key, 4096, 0);   a slot, and where to write
 *     fill(plaintext, 4096);                                                    written in place
 *     wvds_submit(call);                                                        the service starts; does not block
 *     ...                                                                       begin and fill the next one meanwhile
 *     wvds_collect(call, WVDS_DEFAULT_TIMEOUT);                                 wait for the answer
 *     wvds_answer(call, &sealed, &sealed_len);                                  read in place
 *     wvds_call_release(call);                                                  the slot is free again
 *
 * A session has a few slots (wvds_capabilities); each call has one from begin to release, and calls may be collected in
 * any order. A call belongs to its session and its thread. Pointers into a call are valid until wvds_call_release.
 *
 * The memory is shared with the service. After wvds_submit the caller must not write to it. An answer's length is
 * checked before it is handed out, but its bytes stay in memory that the service can write: a caller that does not rely
 * on the service to leave them alone copies them before it looks at them. */

/* wvds_call is one request in one slot. */
typedef struct wvds_call wvds_call;

/* wvds_aes_encrypt_begin takes a slot for wvds_aes_encrypt and gives the places of plaintext_len bytes and aad_len
 * bytes to fill. out_aad may be NULL when aad_len is 0. The answer is nonce, ciphertext, tag.
 *
 * Errors: WVDS_BUSY, WVDS_PAYLOAD_TOO_LARGE. */
WVDS_EXPORT wvds_status wvds_aes_encrypt_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_plaintext,
                                               uint8_t** out_aad, uint32_t key_id, size_t plaintext_len,
                                               size_t aad_len);

/* wvds_aes_decrypt_begin does so for wvds_aes_decrypt. The answer is the plaintext.
 *
 * Errors: WVDS_BUSY, WVDS_PAYLOAD_TOO_LARGE, WVDS_INVALID_PAYLOAD (sealed_len below WVDS_AES_OVERHEAD). */
WVDS_EXPORT wvds_status wvds_aes_decrypt_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_sealed,
                                               uint8_t** out_aad, uint32_t key_id, size_t sealed_len, size_t aad_len);

/* wvds_mldsa_sign_begin does so for wvds_mldsa_sign, with message_len bytes of message to fill. The answer is the
 * signature.
 *
 * Errors: WVDS_BUSY, WVDS_PAYLOAD_TOO_LARGE. */
WVDS_EXPORT wvds_status wvds_mldsa_sign_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_message,
                                              uint32_t key_id, size_t message_len, const uint8_t* context,
                                              size_t context_len, uint32_t flags);

/* wvds_mldsa_verify_begin does so for wvds_mldsa_verify. The answer is empty; wvds_collect returns the verdict.
 *
 * Errors: WVDS_BUSY, WVDS_PAYLOAD_TOO_LARGE. */
WVDS_EXPORT wvds_status wvds_mldsa_verify_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_message,
                                                const wvds_public_key* key, const uint8_t* signature,
                                                size_t signature_len, size_t message_len, const uint8_t* context,
                                                size_t context_len, uint32_t flags);

/* wvds_request_begin takes a slot for any operation; the caller writes the payload as docs/protocol.md gives it. The
 * answer is the answer's payload, of which only the length is checked.
 *
 * Errors: WVDS_BUSY, WVDS_PAYLOAD_TOO_LARGE (also an AES_ENCRYPT of more than WVDS_AES_MAX_SIZE). */
WVDS_EXPORT wvds_status wvds_request_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_payload,
                                           wvds_operation operation, size_t payload_len);

/* wvds_submit hands the request to the service. Does not block. WVDS_INVALID_ARGUMENT when it was submitted already. */
WVDS_EXPORT wvds_status wvds_submit(wvds_call* call);

/* wvds_collect waits for the answer, at most timeout_ms, and returns the operation's own status. After WVDS_TIMEOUT the
 * call is still in flight: collect it again, or release it. After any other status it only waits to be released; to
 * collect it again returns the same status. WVDS_INVALID_ARGUMENT when it was not submitted. */
WVDS_EXPORT wvds_status wvds_collect(wvds_call* call, uint32_t timeout_ms);

/* wvds_answer gives the answer of a call that wvds_collect returned WVDS_SUCCESS for, in place, until
 * wvds_call_release. */
WVDS_EXPORT wvds_status wvds_answer(wvds_call* call, const uint8_t** out, size_t* out_len);

/* wvds_call_release gives the slot back. A call in flight is abandoned: its slot is free when the service has finished
 * it, and the late answer is dropped. NULL is allowed and does nothing. */
WVDS_EXPORT wvds_status wvds_call_release(wvds_call* call);

#ifdef __cplusplus
}
#endif

#endif /* WVDS_CRYPTO_H */
