#include "examples/backend/identity.h"

#include <string.h>

#include "examples/common/host.h"
#include "examples/common/service.h"
#include "examples/envelope/fingerprint.h"

static const char kLabel[] = "envelope recipient";

static int complain(wvds_status status) {
  host_complain("the recipient's key: %s", wvds_status_text(status));
  return 0;
}

static int finish(wvds_session* session, identity* out) {
  size_t length = 0;
  const wvds_status status = wvds_key_public(session, out->public_key, &length, sizeof out->public_key, out->key_id, 0);
  if (status != WVDS_SUCCESS) return complain(status);
  if (fingerprint_of(out->fingerprint, out->public_key, length)) return 1;
  host_complain("OpenSSL can't compute the SHA-256 of the recipient's key");
  return 0;
}

int identity_load(wvds_session* session, identity* out) {
  memset(out, 0, sizeof *out);
  const wvds_status status = service_find_key(session, &out->key_id, WVDS_MLKEM_768, kLabel);
  if (status != WVDS_SUCCESS) return complain(status);
  if (out->key_id != 0) return finish(session, out);
  host_complain("the recipient's key is not there yet: run \"backend key\"");
  return 0;
}

int identity_make(wvds_session* session, identity* out, int* out_is_new) {
  memset(out, 0, sizeof *out);
  wvds_status status = service_find_key(session, &out->key_id, WVDS_MLKEM_768, kLabel);
  *out_is_new = status == WVDS_SUCCESS && out->key_id == 0;
  if (*out_is_new) {
    const wvds_key_template wanted = {.algorithm = WVDS_MLKEM_768,
                                      .lifetime = WVDS_LIFETIME_PERSISTENT,
                                      .usages = WVDS_USAGE_DECAPS_TO_KEY,
                                      .label = kLabel};
    status = wvds_key_generate(session, &out->key_id, NULL, NULL, 0, &wanted);
  }
  return status == WVDS_SUCCESS ? finish(session, out) : complain(status);
}
