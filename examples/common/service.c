#include "examples/common/service.h"

#include <ctype.h>
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

/* The word that config.json has for an operation: its name in lower case, with hyphens. */
static void config_word(char out[64], wvds_operation operation) {
  const char* name = wvds_operation_name(operation);
  size_t length = 0;
  for (; name != NULL && name[length] != '\0' && length < 63; ++length) {
    const int letter = name[length] == '_' ? '-' : tolower((unsigned char)name[length]);
    out[length] = (char)letter;
  }
  out[length] = '\0';
}

int service_offers(wvds_session* session, const service_needs* needs) {
  static wvds_capability_list offer;
  int is_complete = 1;
  int tries = 0;
  wvds_status status;
  do status = wvds_capabilities(session, &offer);
  while (service_may_repeat(status, &tries));
  if (status != WVDS_SUCCESS) {
    host_complain("the service does not say what it offers: %s", wvds_status_text(status));
    return 0;
  }
  for (size_t i = 0; i < needs->num_operations; ++i) {
    char word[64];
    if (wvds_can(&offer, needs->operations[i])) continue;
    config_word(word, needs->operations[i]);
    host_complain(
        "the service does not let this program do \"%s\": add it to the client's \"operations\" in config.json", word);
    is_complete = 0;
  }
  for (size_t i = 0; i < needs->num_algorithms; ++i) {
    if (wvds_has_algorithm(&offer, needs->algorithms[i])) continue;
    host_complain("the service has no provider for %s: its status says which it has",
                  wvds_algorithm_name(needs->algorithms[i]));
    is_complete = 0;
  }
  return is_complete;
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
