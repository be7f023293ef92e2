#include "examples/common/service.h"

#include <string.h>

#include "examples/common/host.h"

enum {
  WAIT_MS = 100, /* the service's default cool-down after too many requests */
  MAX_TRIES = 50
};

wvds_session* service_connect(const char* address) {
  wvds_session* session = NULL;
  const wvds_status status = wvds_connect(&session, address, WVDS_DEFAULT_TIMEOUT);
  if (status == WVDS_SUCCESS) return session;
  host_complain("no connection to %s: %s", address == NULL ? "the service's default socket" : address,
                wvds_status_text(status));
  return NULL;
}

int service_may_repeat(wvds_status status, int* tries) {
  if (status != WVDS_RATE_LIMITED || *tries == MAX_TRIES) return 0;
  ++*tries;
  host_wait_ms(WAIT_MS);
  return 1;
}

wvds_status service_find_key(wvds_session* session, uint32_t* out_key_id, wvds_algorithm algorithm, const char* label) {
  wvds_key_entry entries[16];
  uint32_t last = 0;
  int more = 1;
  *out_key_id = 0;
  while (more) {
    size_t count = 0;
    int tries = 0;
    wvds_status status;
    do status = wvds_key_list(session, entries, &count, sizeof entries / sizeof entries[0], &more, last);
    while (service_may_repeat(status, &tries));
    if (status != WVDS_SUCCESS) return status;
    for (size_t i = 0; i < count; ++i) {
      last = entries[i].key_id;
      if (entries[i].algorithm != algorithm || strcmp(entries[i].label, label) != 0) continue;
      *out_key_id = last;
      return WVDS_SUCCESS;
    }
    if (count == 0) break;
  }
  return WVDS_SUCCESS;
}

void service_delete_key(wvds_session* session, uint32_t key_id) {
  int tries = 0;
  wvds_status status;
  do status = wvds_key_delete(session, key_id, 0);
  while (service_may_repeat(status, &tries));
  if (status != WVDS_SUCCESS) host_complain("key %u was not deleted: %s", key_id, wvds_status_text(status));
}
