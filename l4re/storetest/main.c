/* wvds_storetest tells, line by line, what the service acknowledged. At its start it lists the keys that the store
 * holds; then it makes some, rotates some and deletes some. A line is written when the service has answered, on the
 * console and to a disk of the test's own:
 *
 *   key ID VERSIONS FINGERPRINT   the key is there, with so many versions; FINGERPRINT is its newest public key's
 *   gone ID                       the key is deleted
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "l4re/storetest/disks.h"
#include "wvds_crypto.h"

/* The service takes long to start where everything is emulated. */
enum { ROUNDS = 5, MAX_LISTED = 64, MOST_KEYS = 12, ANSWER_TIMEOUT_MS = 120000 };

static wvds_session* session = NULL;
static uint32_t ids[MAX_LISTED];
static size_t num_ids = 0;

static int succeeded(wvds_status status, const char* what) {
  if (status != WVDS_SUCCESS) printf("storetest: %s: %s\n", what, wvds_status_text(status));
  return status == WVDS_SUCCESS;
}

/* FNV-1a, 64 bits: enough to tell one test's keys apart, and no more than that. */
static uint64_t fingerprint(const uint8_t* bytes, size_t len) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < len; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

static int describe(char out[MARK_SIZE], uint32_t id) {
  uint8_t public_key[WVDS_MAX_PUBLIC_KEY_SIZE];
  size_t len = 0;
  wvds_key_details details;
  if (!succeeded(wvds_key_info(session, &details, id), "key info")) return 0;
  if (!succeeded(wvds_key_public(session, public_key, &len, sizeof public_key, id, 0), "public key")) return 0;
  snprintf(out, MARK_SIZE, "key %" PRIu32 " %" PRIu32 " %016" PRIx64, id, details.num_versions,
           fingerprint(public_key, len));
  return 1;
}

static int acknowledged(const char* line) {
  if (!marks_write(line)) return 0;
  printf("storetest: %s\n", line);
  return 1;
}

static int tell(uint32_t id) {
  char line[MARK_SIZE];
  return describe(line, id) && acknowledged(line);
}

static int list(void) {
  static wvds_key_entry entries[MAX_LISTED];
  int more = 0;
  if (!succeeded(wvds_key_list(session, entries, &num_ids, MAX_LISTED, &more, 0), "list")) return 0;
  for (size_t i = 0; i < num_ids; ++i) {
    char line[MARK_SIZE];
    ids[i] = entries[i].key_id;
    if (!describe(line, ids[i])) return 0;
    printf("storetest: found %s\n", line);
  }
  printf("storetest: found %zu keys\n", num_ids);
  return !more;
}

static int make(wvds_algorithm algorithm) {
  const wvds_key_template wanted = {.algorithm = algorithm, .lifetime = WVDS_LIFETIME_PERSISTENT};
  if (num_ids == MAX_LISTED) return 0;
  if (!succeeded(wvds_key_generate(session, &ids[num_ids], NULL, NULL, 0, &wanted), "generate")) return 0;
  return tell(ids[num_ids++]);
}

static int rotate(uint32_t id) {
  uint32_t version = 0;
  return succeeded(wvds_key_rotate(session, &version, NULL, NULL, 0, id), "rotate") && tell(id);
}

static int delete_oldest(void) {
  char line[MARK_SIZE];
  if (!succeeded(wvds_key_delete(session, ids[0], 0), "delete")) return 0;
  snprintf(line, sizeof line, "gone %" PRIu32, ids[0]);
  memmove(ids, ids + 1, --num_ids * sizeof ids[0]);
  return acknowledged(line);
}

static int work(void) {
  for (int round = 0; round < ROUNDS; ++round) {
    if (!make(WVDS_MLDSA_44) || !rotate(ids[num_ids - 1]) || !make(WVDS_MLKEM_512)) return 0;
    if (round % 2 == 1 && !delete_oldest()) return 0;
    while (num_ids > MOST_KEYS) {
      if (!delete_oldest()) return 0;
    }
  }
  return 1;
}

int main(void) {
  int done = succeeded(wvds_connect(&session, NULL, ANSWER_TIMEOUT_MS), "connect") &&
             succeeded(wvds_set_timeout(session, ANSWER_TIMEOUT_MS), "timeout") && readonly_holds() && list() && work();
  wvds_disconnect(session);
  printf(done ? "storetest: EVERY CALL SUCCEEDED\n" : "storetest: FAILED\n");
  return done ? 0 : 1;
}
