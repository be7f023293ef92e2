#include "examples/backend/open_envelope.h"

#include <string.h>

#include "examples/common/service.h"

const char* open_result_text(open_result result) {
  switch (result) {
    case OPEN_DONE: return "opened";
    case OPEN_NOT_WELL_FORMED: return "it is no well-formed envelope";
    case OPEN_FOREIGN_RECIPIENT: return "it is for another recipient";
    case OPEN_UNKNOWN_SENDER: return "its sender is not known here";
    case OPEN_BAD_SIGNATURE: return "its signature is not valid";
    case OPEN_OLD_SEQUENCE: return "its sequence number was accepted before (a replay)";
    case OPEN_NOT_DECRYPTED: return "its content can't be decrypted";
    case OPEN_FAILED: return "it could not be checked";
  }
  return "for an unknown reason";
}

/* failure says what the service answered where the envelope is not to blame. */
static open_result failure(const char* step, wvds_status status) {
  host_complain("%s: %s", step, wvds_status_text(status));
  return OPEN_FAILED;
}

static open_result verify(const backend* who, const sender* from, const envelope_view* envelope) {
  const wvds_public_key key = wvds_public_key_by_id(from->key_id);
  int tries = 0;
  wvds_status status;
  do {
    status = wvds_mldsa_verify(who->session, &key, envelope->signature, ENVELOPE_SIGNATURE_SIZE, envelope->bytes,
                               envelope->signed_len, (const uint8_t*)ENVELOPE_SIGNATURE_CONTEXT,
                               strlen(ENVELOPE_SIGNATURE_CONTEXT), 0);
  } while (service_may_repeat(status, &tries));
  if (status == WVDS_SIGNATURE_INVALID) return OPEN_BAD_SIGNATURE;
  return status == WVDS_SUCCESS ? OPEN_DONE : failure("verifying", status);
}

/* decapsulate makes the data key inside the service. By implicit rejection (FIPS 203) it succeeds for every ciphertext;
 * decryption tells whether it was the right one. */
static open_result decapsulate(const backend* who, const envelope_view* envelope, uint32_t* data_key) {
  const wvds_derivation derivation = {.lifetime = WVDS_LIFETIME_SESSION,
                                      .context = (const uint8_t*)ENVELOPE_KEY_CONTEXT,
                                      .context_len = strlen(ENVELOPE_KEY_CONTEXT)};
  int tries = 0;
  wvds_status status;
  do {
    status = wvds_mlkem_decaps_to_key(who->session, NULL, data_key, who->self.key_id, envelope->kem_ciphertext,
                                      ENVELOPE_KEM_SIZE, &derivation);
  } while (service_may_repeat(status, &tries));
  return status == WVDS_SUCCESS ? OPEN_DONE : failure("decapsulating", status);
}

static open_result decrypt(const backend* who, const envelope_view* envelope, uint32_t data_key, opened* out) {
  int tries = 0;
  wvds_status status;
  do {
    status = wvds_aes_decrypt(who->session, out->data, &out->data_len, sizeof out->data, data_key, envelope->sealed,
                              envelope->sealed_len, envelope->bytes, ENVELOPE_AAD_SIZE);
  } while (service_may_repeat(status, &tries));
  if (status == WVDS_DECRYPTION_FAILED) return OPEN_NOT_DECRYPTED;
  return status == WVDS_SUCCESS ? OPEN_DONE : failure("decrypting", status);
}

static open_result decapsulate_and_decrypt(const backend* who, const envelope_view* envelope, opened* out) {
  uint32_t data_key = 0;
  open_result result = decapsulate(who, envelope, &data_key);
  if (result != OPEN_DONE) return result;
  result = decrypt(who, envelope, data_key, out);
  service_delete_key(who->session, data_key); /* one message, one key */
  return result;
}

/* check_and_decrypt trusts nothing of the header before the signature: the sender's name only chooses the key that the
 * signature must fit. */
static open_result check_and_decrypt(const backend* who, opened* out, const envelope_view* envelope) {
  sender from;
  if (memcmp(envelope->header.recipient, who->self.fingerprint, ENVELOPE_FINGERPRINT_SIZE) != 0) {
    return OPEN_FOREIGN_RECIPIENT;
  }
  const sender_result known = sender_load(who->session, &from, envelope->header.sender, who->state);
  if (known != SENDER_KNOWN) return known == SENDER_UNKNOWN ? OPEN_UNKNOWN_SENDER : OPEN_FAILED;
  open_result result = verify(who, &from, envelope);
  if (result != OPEN_DONE) return result;
  if (envelope->header.sequence <= from.last_sequence) return OPEN_OLD_SEQUENCE;
  result = decapsulate_and_decrypt(who, envelope, out);
  if (result != OPEN_DONE) return result;
  out->missing = envelope->header.sequence - from.last_sequence - 1;
  return sender_accept(&from, envelope->header.sequence) ? OPEN_DONE : OPEN_FAILED;
}

open_result open_envelope(const backend* who, opened* out, const uint8_t* bytes, size_t len) {
  envelope_view envelope;
  memset(out, 0, sizeof *out);
  const envelope_result form = envelope_parse(&envelope, bytes, len);
  if (form != ENVELOPE_OK) return OPEN_NOT_WELL_FORMED;
  out->header = envelope.header;
  const open_result result = check_and_decrypt(who, out, &envelope);
  if (result != OPEN_DONE) {
    memset(out->data, 0, sizeof out->data);
    out->data_len = 0;
  }
  return result;
}
