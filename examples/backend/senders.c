#include "examples/backend/senders.h"

#include <stdio.h>
#include <string.h>

#include "examples/common/service.h"

static void label_of(char out[WVDS_MAX_LABEL_SIZE + 1], const char* name) {
  snprintf(out, WVDS_MAX_LABEL_SIZE + 1, "envelope sender %s", name);
}

static int counter_path(char out[HOST_MAX_PATH], const char* state, const char* name) {
  char file[ENVELOPE_MAX_SENDER + 16];
  snprintf(file, sizeof file, "%s.sequence", name);
  return host_join(out, state, file);
}

static int complain(const char* name, wvds_status status) {
  host_complain("the key of sender %s: %s", name, wvds_status_text(status));
  return 0;
}

sender_result sender_load(wvds_session* session, sender* out, const char* name, const char* state) {
  char label[WVDS_MAX_LABEL_SIZE + 1];
  int is_missing = 0;
  memset(out, 0, sizeof *out);
  memcpy(out->name, name, strlen(name) + 1);
  label_of(label, name);
  const wvds_status status = service_find_key(session, &out->key_id, WVDS_MLDSA_65, label);
  if (status != WVDS_SUCCESS) {
    complain(name, status);
    return SENDER_FAILED;
  }
  if (out->key_id == 0) return SENDER_UNKNOWN;
  if (!counter_path(out->counter, state, name) || !host_read_number(&out->last_sequence, &is_missing, out->counter)) {
    return SENDER_FAILED;
  }
  if (!is_missing) return SENDER_KNOWN;
  /* Trusting made the file. To start again from 0 would accept everything a second time. */
  host_complain("%s is missing: restore it, or write the last sequence number that was accepted into it", out->counter);
  return SENDER_FAILED;
}

int sender_accept(sender* who, uint64_t sequence) {
  if (!host_write_number(who->counter, sequence)) return 0;
  who->last_sequence = sequence;
  return 1;
}

/* start_counter comes before the key is there: a known sender always has a counter, whenever a crash comes. */
static int start_counter(const char* name, const char* state) {
  char path[HOST_MAX_PATH];
  uint64_t last = 0;
  int is_missing = 0;
  if (!counter_path(path, state, name) || !host_read_number(&last, &is_missing, path)) return 0;
  return !is_missing || host_write_number(path, 0);
}

static int has_same_key(wvds_session* session, uint32_t key_id, const char* name, const uint8_t* public_key,
                        size_t len) {
  uint8_t known[WVDS_MAX_PUBLIC_KEY_SIZE];
  size_t known_len = 0;
  const wvds_status status = wvds_key_public(session, known, &known_len, sizeof known, key_id, 0);
  if (status != WVDS_SUCCESS) return complain(name, status);
  if (known_len == len && memcmp(known, public_key, len) == 0) return 1;
  host_complain("%s is known with another key; delete key %u first if that is meant", name, key_id);
  return 0;
}

int sender_trust(wvds_session* session, const char* name, const uint8_t* public_key, size_t len, const char* state) {
  char label[WVDS_MAX_LABEL_SIZE + 1];
  uint32_t key_id = 0;
  label_of(label, name);
  wvds_status status = service_find_key(session, &key_id, WVDS_MLDSA_65, label);
  if (status != WVDS_SUCCESS) return complain(name, status);
  if (key_id != 0) return has_same_key(session, key_id, name, public_key, len);
  if (!start_counter(name, state)) return 0;
  const wvds_key_template wanted = {
      .algorithm = WVDS_MLDSA_65, .lifetime = WVDS_LIFETIME_PERSISTENT, .usages = WVDS_USAGE_VERIFY, .label = label};
  status = wvds_key_import(session, &key_id, NULL, NULL, 0, &wanted, WVDS_KEY_FORMAT_PUBLIC, public_key, len);
  return status == WVDS_SUCCESS ? 1 : complain(name, status);
}
