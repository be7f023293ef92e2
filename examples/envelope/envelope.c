#include "examples/envelope/envelope.h"

#include <string.h>

/* Offsets in the header (docs/envelope.md). */
enum {
  AT_MAGIC = 0,
  AT_VERSION = 4,
  AT_SUITE = 5,
  AT_RESERVED = 6,
  AT_SEQUENCE = 8,
  AT_PART = 16,
  AT_FLAGS = 20,
  AT_SENDER = 24,
  AT_RECIPIENT = 56,
  AT_DATA_LEN = 88
};

static const uint8_t kMagic[4] = {'W', 'V', 'D', 'E'};
static const uint32_t kFlagLastPart = 1;

static void put_number(uint8_t* at, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_number(const uint8_t* at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

const char* envelope_result_text(envelope_result result) {
  switch (result) {
    case ENVELOPE_OK: return "well-formed";
    case ENVELOPE_NOT_ONE: return "not an envelope";
    case ENVELOPE_UNKNOWN_VERSION: return "an envelope of another version";
    case ENVELOPE_BAD_HEADER: return "a damaged header";
    case ENVELOPE_BAD_LENGTH: return "a wrong length";
  }
  return "an unknown result";
}

static int is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int envelope_sender_is_valid(const char* name) {
  size_t length = 0;
  for (; name[length] != '\0'; ++length) {
    const char c = name[length];
    const int is_punctuation = c == '-' || c == '_' || c == '.';
    if (length == ENVELOPE_MAX_SENDER) return 0;
    if (!is_letter_or_digit(c) && !(is_punctuation && length > 0)) return 0;
  }
  return length > 0;
}

size_t envelope_size(size_t data_len) { return ENVELOPE_OVERHEAD + data_len; }

static int header_is_valid(const envelope_header* header) {
  return header->sequence > 0 && header->part > 0 && header->data_len <= ENVELOPE_MAX_DATA &&
         envelope_sender_is_valid(header->sender);
}

envelope_result envelope_write_header(uint8_t out[ENVELOPE_AAD_SIZE], const envelope_header* header,
                                      const uint8_t kem_ciphertext[ENVELOPE_KEM_SIZE]) {
  if (!header_is_valid(header)) return ENVELOPE_BAD_HEADER;
  memset(out, 0, ENVELOPE_HEADER_SIZE);
  memcpy(out + AT_MAGIC, kMagic, sizeof kMagic);
  out[AT_VERSION] = ENVELOPE_VERSION;
  out[AT_SUITE] = ENVELOPE_SUITE;
  put_number(out + AT_SEQUENCE, header->sequence, 8);
  put_number(out + AT_PART, header->part, 4);
  put_number(out + AT_FLAGS, header->is_last_part ? kFlagLastPart : 0, 4);
  memcpy(out + AT_SENDER, header->sender, strlen(header->sender));
  memcpy(out + AT_RECIPIENT, header->recipient, ENVELOPE_FINGERPRINT_SIZE);
  put_number(out + AT_DATA_LEN, header->data_len, 4);
  memcpy(out + ENVELOPE_HEADER_SIZE, kem_ciphertext, ENVELOPE_KEM_SIZE);
  return ENVELOPE_OK;
}

/* read_sender takes the name and refuses anything but zeros behind it: one name has one form. */
static int read_sender(char out[ENVELOPE_MAX_SENDER + 1], const uint8_t* at) {
  memcpy(out, at, ENVELOPE_MAX_SENDER);
  out[ENVELOPE_MAX_SENDER] = '\0';
  for (size_t i = strlen(out); i < ENVELOPE_MAX_SENDER; ++i) {
    if (at[i] != 0) return 0;
  }
  return 1;
}

static envelope_result read_header(envelope_header* out, const uint8_t* bytes) {
  const uint64_t flags = get_number(bytes + AT_FLAGS, 4);
  out->sequence = get_number(bytes + AT_SEQUENCE, 8);
  out->part = (uint32_t)get_number(bytes + AT_PART, 4);
  out->is_last_part = flags == kFlagLastPart;
  out->data_len = (uint32_t)get_number(bytes + AT_DATA_LEN, 4);
  memcpy(out->recipient, bytes + AT_RECIPIENT, ENVELOPE_FINGERPRINT_SIZE);
  if (!read_sender(out->sender, bytes + AT_SENDER)) return ENVELOPE_BAD_HEADER;
  if (get_number(bytes + AT_RESERVED, 2) != 0 || flags > kFlagLastPart) return ENVELOPE_BAD_HEADER;
  return header_is_valid(out) ? ENVELOPE_OK : ENVELOPE_BAD_HEADER;
}

static envelope_result parse(envelope_view* out, const uint8_t* bytes, size_t len) {
  if (len < sizeof kMagic || memcmp(bytes, kMagic, sizeof kMagic) != 0) return ENVELOPE_NOT_ONE;
  if (len < ENVELOPE_HEADER_SIZE) return ENVELOPE_BAD_LENGTH;
  if (bytes[AT_VERSION] != ENVELOPE_VERSION || bytes[AT_SUITE] != ENVELOPE_SUITE) return ENVELOPE_UNKNOWN_VERSION;
  const envelope_result result = read_header(&out->header, bytes);
  if (result != ENVELOPE_OK) return result;
  if (len != envelope_size(out->header.data_len)) return ENVELOPE_BAD_LENGTH;
  out->bytes = bytes;
  out->kem_ciphertext = bytes + ENVELOPE_HEADER_SIZE;
  out->sealed = bytes + ENVELOPE_AAD_SIZE;
  out->sealed_len = ENVELOPE_NONCE_SIZE + out->header.data_len + ENVELOPE_TAG_SIZE;
  out->signed_len = ENVELOPE_AAD_SIZE + out->sealed_len;
  out->signature = bytes + out->signed_len;
  return ENVELOPE_OK;
}

envelope_result envelope_parse(envelope_view* out, const uint8_t* bytes, size_t len) {
  memset(out, 0, sizeof *out);
  const envelope_result result = parse(out, bytes, len);
  if (result != ENVELOPE_OK) memset(out, 0, sizeof *out);
  return result;
}
