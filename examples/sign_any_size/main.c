/* Signs a file of any size with an ML-DSA key that has the usage sign-mu: the program hashes, the service signs 64
 * bytes. The result is an ordinary ML-DSA signature of the file (docs/stream-format.md, "Signatures of any size").
 *
 *     sign_any_size SOCKET KEY FILE CONTEXT > SIGNATURE
 *
 * KEY is the key's number; CONTEXT may be empty. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wvds_crypto.h"

typedef struct public_key {
  wvds_algorithm algorithm;
  uint8_t bytes[WVDS_MAX_PUBLIC_KEY_SIZE];
  size_t len;
} public_key;

/* The newest version's public key. It is read once: mu and verification must be about the same one. */
static wvds_status get_public_key(wvds_session* session, public_key* out, uint32_t key_id) {
  wvds_key_details details;
  wvds_status status = wvds_key_info(session, &details, key_id);
  if (status != WVDS_SUCCESS) return status;
  out->algorithm = details.algorithm;
  return wvds_key_public(session, out->bytes, &out->len, sizeof out->bytes, key_id, 0);
}

/* tr = SHAKE256(public key, 64) */
static int hash_key(EVP_MD_CTX* hash, uint8_t tr[64], const public_key* key) {
  return EVP_DigestInit_ex(hash, EVP_shake256(), NULL) && EVP_DigestUpdate(hash, key->bytes, key->len) &&
         EVP_DigestFinalXOF(hash, tr, 64);
}

static int hash_file(EVP_MD_CTX* hash, FILE* file) {
  static uint8_t piece[65536];
  size_t len = 0;
  do {
    len = fread(piece, 1, sizeof piece, file);
    if (!EVP_DigestUpdate(hash, piece, len)) return 0;
  } while (len == sizeof piece);
  return !ferror(file);
}

/* mu = SHAKE256(tr || 0 || length of the context || context || file, 64); FIPS 204, algorithm 7, line 6 */
static int compute_mu(uint8_t mu[WVDS_MLDSA_MU_SIZE], const public_key* key, const char* context, FILE* file) {
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  const uint8_t head[2] = {0, (uint8_t)strlen(context)};
  uint8_t tr[64];
  const int is_done = hash != NULL && hash_key(hash, tr, key) && EVP_DigestInit_ex(hash, EVP_shake256(), NULL) &&
                      EVP_DigestUpdate(hash, tr, sizeof tr) && EVP_DigestUpdate(hash, head, sizeof head) &&
                      EVP_DigestUpdate(hash, context, strlen(context)) && hash_file(hash, file) &&
                      EVP_DigestFinalXOF(hash, mu, WVDS_MLDSA_MU_SIZE);
  EVP_MD_CTX_free(hash);
  return is_done;
}

/* The service signs with the version that is the newest by then. Where the key was rotated meanwhile, the signature
 * does not fit the public key that mu was made with: WVDS_SIGNATURE_INVALID, and the file is to be signed again. */
static wvds_status sign(wvds_session* session, uint8_t* out, size_t* out_len, uint32_t key_id, const public_key* key,
                        const uint8_t mu[WVDS_MLDSA_MU_SIZE]) {
  const wvds_public_key raw = wvds_public_key_raw(key->algorithm, key->bytes, key->len);
  wvds_status status = wvds_mldsa_sign(session, out, out_len, WVDS_MLDSA_MAX_SIGNATURE_SIZE, key_id, mu,
                                       WVDS_MLDSA_MU_SIZE, NULL, 0, WVDS_MLDSA_EXTERNAL_MU);
  if (status != WVDS_SUCCESS) return status;
  return wvds_mldsa_verify(session, &raw, out, *out_len, mu, WVDS_MLDSA_MU_SIZE, NULL, 0, WVDS_MLDSA_EXTERNAL_MU);
}

static int sign_file(wvds_session* session, uint32_t key_id, FILE* file, const char* context) {
  public_key key;
  uint8_t mu[WVDS_MLDSA_MU_SIZE], signature[WVDS_MLDSA_MAX_SIGNATURE_SIZE];
  size_t len = 0;
  wvds_status status = get_public_key(session, &key, key_id);
  if (status == WVDS_SUCCESS && !compute_mu(mu, &key, context, file))
    return fprintf(stderr, "mu was not computed\n"), 1;
  if (status == WVDS_SUCCESS) status = sign(session, signature, &len, key_id, &key, mu);
  if (status != WVDS_SUCCESS) return fprintf(stderr, "not signed: %s\n", wvds_status_text(status)), 1;
  return fwrite(signature, 1, len, stdout) != len || fflush(stdout) != 0;
}

int main(int argc, char** argv) {
  if (argc != 5 || strlen(argv[4]) > WVDS_MLDSA_MAX_CONTEXT_SIZE) {
    fprintf(stderr, "usage: sign_any_size SOCKET KEY FILE CONTEXT > SIGNATURE\n");
    return 2;
  }
  FILE* file = fopen(argv[3], "rb");
  if (file == NULL) return perror(argv[3]), 1;
  wvds_session* session = NULL;
  const wvds_status status = wvds_connect(&session, argv[1], WVDS_DEFAULT_TIMEOUT);
  int result = 3;
  if (status == WVDS_SUCCESS) {
    result = sign_file(session, (uint32_t)strtoul(argv[2], NULL, 10), file, argv[4]);
  } else {
    fprintf(stderr, "%s: %s\n", argv[1], wvds_status_text(status));
  }
  wvds_disconnect(session);
  (void)fclose(file); /* was only read */
  return result;
}
