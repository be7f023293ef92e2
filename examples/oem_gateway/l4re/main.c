/* The reference gateway on L4Re: one task that plays both sides. As gateway it has a session with its own crypto
 * service (capability "crypto"), as backend one with another instance (capability "backend"), which has the other keys.
 * It samples the system, protects each sample for the backend as the gateway on Linux does, opens it again, and
 * compares.
 *
 * protect.c and open_envelope.c are the same files as on Linux. */
#include <l4/re/env.h>
#include <l4/sys/kip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/backend/open_envelope.h"
#include "examples/common/host.h"
#include "examples/common/service.h"
#include "examples/oem_gateway/protect.h"
#include "examples/oem_gateway/signing_key.h"

enum { SAMPLES = 3, STEP_MS = 10 };

static const char kSender[] = "l4re-gateway";
static const char kState[] = "state";

typedef struct both_sides {
  gateway sender;
  backend receiver;
} both_sides;

static int said(const char* what, wvds_status status) {
  if (status == WVDS_SUCCESS) return 1;
  host_complain("%s: %s", what, wvds_status_text(status));
  return 0;
}

/* get_acquainted makes the keys and tells each side the other's public one. */
static int get_acquainted(both_sides* both) {
  uint8_t public_key[WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_65)];
  size_t length = 0;
  int is_new = 0;
  gateway* sender = &both->sender;
  memcpy(sender->sender, kSender, sizeof kSender);
  both->receiver.state = kState;
  if (!identity_make(both->receiver.session, &both->receiver.self, &is_new)) return 0;
  memcpy(sender->recipient_key, both->receiver.self.public_key, sizeof sender->recipient_key);
  memcpy(sender->recipient, both->receiver.self.fingerprint, sizeof sender->recipient);
  if (!said("the signing key", signing_key_find(sender->session, &sender->signing_key, kSender))) return 0;
  if (sender->signing_key == 0 &&
      !said("the signing key", signing_key_make(sender->session, &sender->signing_key, kSender)))
    return 0;
  if (!said("the signing key",
            wvds_key_public(sender->session, public_key, &length, sizeof public_key, sender->signing_key, 0)))
    return 0;
  return sender_trust(both->receiver.session, kSender, public_key, length, kState);
}

/* sample writes what the kernel says of itself, as text. */
static size_t sample(char* out, size_t max, unsigned number) {
  const l4_kernel_info_t* kip = l4re_kip();
  const int length = snprintf(out, max, "{\"sample\": %u, \"kernel\": \"%s\", \"uptime_us\": %llu}\n", number,
                              l4_kip_version_string(kip), (unsigned long long)l4_kip_clock(kip));
  return length > 0 && (size_t)length < max ? (size_t)length : 0;
}

static int round_trip(both_sides* both, unsigned number) {
  static uint8_t envelope[ENVELOPE_MAX_SIZE];
  static opened out;
  char data[1024];
  protect_times times = {0};
  envelope_header header = {.sequence = number, .part = 1, .is_last_part = 1};
  header.data_len = (uint32_t)sample(data, sizeof data, number);
  if (!said("the sample", protect(&both->sender, envelope, &header, (const uint8_t*)data, &times))) return 0;
  const size_t size = envelope_size(header.data_len);
  const open_result result = open_envelope(&both->receiver, &out, envelope, size);
  const int is_equal =
      result == OPEN_DONE && out.data_len == header.data_len && memcmp(out.data, data, out.data_len) == 0;
  printf("sample %u: %u bytes, envelope %zu, %s\n", number, header.data_len, size,
         result != OPEN_DONE ? open_result_text(result)
         : is_equal          ? "came back equal"
                             : "CAME BACK DIFFERENT");
  envelope[size - 1] ^= 1;
  const open_result tampered = open_envelope(&both->receiver, &out, envelope, size);
  envelope[size - 1] ^= 1;
  const open_result replayed = open_envelope(&both->receiver, &out, envelope, size);
  if (tampered == OPEN_BAD_SIGNATURE && replayed == OPEN_OLD_SEQUENCE) return is_equal;
  host_complain("a changed envelope: %s; a repeated one: %s", open_result_text(tampered), open_result_text(replayed));
  return 0;
}

int main(void) {
  static both_sides both;
  int is_right = 1;
  host_set_program("oem_gateway");
  both.sender.session = service_connect("crypto");
  both.receiver.session = service_connect("backend");
  is_right = both.sender.session != NULL && both.receiver.session != NULL && get_acquainted(&both);
  for (unsigned number = 1; is_right && number <= SAMPLES; ++number) {
    is_right = round_trip(&both, number);
    host_wait_ms(STEP_MS);
  }
  wvds_disconnect(both.sender.session);
  wvds_disconnect(both.receiver.session);
  printf("oem_gateway: %s\n", is_right ? "EVERY ROUND TRIP WAS EQUAL" : "FAILED");
  return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
