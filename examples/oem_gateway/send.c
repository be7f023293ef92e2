#include "examples/oem_gateway/send.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/host.h"
#include "examples/common/service.h"
#include "examples/oem_gateway/sampler.h"

/* take_sequence makes the next number durably used before anything is sent under it: after a crash a number may be
 * missing, none is ever there twice. */
static int take_sequence(sending* self, uint64_t* out) {
  if (self->last_sequence == UINT64_MAX) {
    host_complain("%s: no sequence number is left", self->counter);
    return 0;
  }
  if (!host_write_number(self->counter, self->last_sequence + 1)) return 0;
  *out = ++self->last_sequence;
  return 1;
}

/* protect_or_reconnect survives one restart of the service: the signing key is persistent, and the data key was for
 * this envelope only. */
static wvds_status protect_or_reconnect(const sending* self, uint8_t* envelope, envelope_header* header,
                                        const uint8_t* data, protect_times* times) {
  wvds_status status = protect(&self->who, envelope, header, data, times);
  if (status != WVDS_DISCONNECTED) return status;
  host_complain("the service went away; connecting again");
  status = wvds_reconnect(self->who.session, WVDS_DEFAULT_TIMEOUT);
  return status == WVDS_SUCCESS ? protect(&self->who, envelope, header, data, times) : status;
}

static void report(const char* title, const envelope_header* header, const protect_times* times, const char* file) {
  char what[64];
  snprintf(what, sizeof what, header->part == 1 && header->is_last_part ? "%.40s" : "%.40s, part %" PRIu32, title,
           header->part);
  printf("%-28s %6" PRIu32 " bytes -> %6zu  encapsulate %5" PRIu64 " us  encrypt %5" PRIu64 " us  sign %5" PRIu64
         " us  %s\n",
         what, header->data_len, envelope_size(header->data_len), times->encapsulate, times->encrypt, times->sign,
         file);
}

/* write_numbered writes one file of the batch: NAME-NUMBER.KIND. */
static int write_numbered(const sending* self, char* out_name, size_t max_name, const char* folder, uint64_t sequence,
                          const char* kind, const uint8_t* bytes, size_t len) {
  char path[HOST_MAX_PATH];
  snprintf(out_name, max_name, "%s-%012" PRIu64 ".%s", self->who.sender, sequence, kind);
  return host_join(path, folder, out_name) && host_write_file(path, bytes, len);
}

static int send_part(sending* self, const char* title, const uint8_t* data, size_t data_len, uint32_t part,
                     int is_last) {
  static uint8_t envelope[ENVELOPE_MAX_SIZE];
  envelope_header header = {.part = part, .is_last_part = is_last, .data_len = (uint32_t)data_len};
  protect_times times = {0, 0, 0};
  char name[ENVELOPE_MAX_SENDER + 32];

  if (!take_sequence(self, &header.sequence)) return 0;
  const wvds_status status = protect_or_reconnect(self, envelope, &header, data, &times);
  if (status != WVDS_SUCCESS) {
    host_complain("%s was not sent: %s", title, wvds_status_text(status));
    return 0;
  }
  if (self->copies != NULL &&
      !write_numbered(self, name, sizeof name, self->copies, header.sequence, "data", data, data_len)) {
    return 0;
  }
  if (!write_numbered(self, name, sizeof name, self->out, header.sequence, "env", envelope, envelope_size(data_len))) {
    return 0;
  }
  report(title, &header, &times, name);
  return 1;
}

int send_sample(sending* self) {
  static char sample[ENVELOPE_MAX_DATA];
  const size_t length = sample_machine(sample, sizeof sample);
  return send_part(self, "live sample", (const uint8_t*)sample, length, 1, 1);
}

/* send_stream reads one part ahead, because each part says whether it is the last one. */
static int send_stream(sending* self, const char* title, FILE* input) {
  static uint8_t buffers[2][ENVELOPE_MAX_DATA];
  uint32_t part = 1;
  size_t length = fread(buffers[1], 1, ENVELOPE_MAX_DATA, input);
  for (;; ++part) {
    const uint8_t* current = buffers[part % 2];
    const size_t next_length =
        length == ENVELOPE_MAX_DATA ? fread(buffers[(part + 1) % 2], 1, ENVELOPE_MAX_DATA, input) : 0;
    if (ferror(input)) {
      host_complain("%s: %s", title, strerror(errno));
      return 0;
    }
    if (part == UINT32_MAX) {
      host_complain("%s: has more parts than one batch can count", title);
      return 0;
    }
    if (!send_part(self, title, current, length, part, next_length == 0)) return 0;
    if (next_length == 0) return 1;
    length = next_length;
  }
}

int send_file(sending* self, const char* path) {
  if (strcmp(path, "-") == 0) return send_stream(self, "standard input", stdin);
  FILE* input = fopen(path, "rb");
  if (input == NULL) {
    host_complain("%s: %s", path, strerror(errno));
    return 0;
  }
  const char* slash = strrchr(path, '/');
  const int sent = send_stream(self, slash == NULL ? path : slash + 1, input);
  (void)fclose(input); /* was only read */
  return sent;
}
