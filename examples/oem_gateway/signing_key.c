#include "examples/oem_gateway/signing_key.h"

#include <stdio.h>

#include "examples/common/host.h"
#include "examples/common/service.h"

static void label_of(char out[WVDS_MAX_LABEL_SIZE + 1], const char* sender) {
  snprintf(out, WVDS_MAX_LABEL_SIZE + 1, "envelope signer %s", sender);
}

wvds_status signing_key_find(wvds_session* session, uint32_t* out_key_id, const char* sender) {
  char label[WVDS_MAX_LABEL_SIZE + 1];
  label_of(label, sender);
  return service_find_key(session, out_key_id, WVDS_MLDSA_65, label);
}

wvds_status signing_key_make(wvds_session* session, uint32_t* out_key_id, const char* sender) {
  char label[WVDS_MAX_LABEL_SIZE + 1];
  label_of(label, sender);
  const wvds_key_template wanted = {
      .algorithm = WVDS_MLDSA_65, .lifetime = WVDS_LIFETIME_PERSISTENT, .usages = WVDS_USAGE_SIGN, .label = label};
  return wvds_key_generate(session, out_key_id, NULL, NULL, 0, &wanted);
}

int signing_key_publish(wvds_session* session, uint32_t key_id, const char* path) {
  uint8_t public_key[WVDS_MAX_PUBLIC_KEY_SIZE];
  size_t len = 0;
  const wvds_status status = wvds_key_public(session, public_key, &len, sizeof public_key, key_id, 0);
  if (status == WVDS_SUCCESS) return host_write_file(path, public_key, len);
  host_complain("the public key of key %u: %s", key_id, wvds_status_text(status));
  return 0;
}
