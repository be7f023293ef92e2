// Fuzzes envelope_parse. Property: what it accepts is written back, byte by byte, by envelope_write_header, so that no
// two headers mean the same; and each part lies within the input.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "examples/envelope/envelope.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  envelope_view view;
  if (envelope_parse(&view, data, size) != ENVELOPE_OK) return 0;
  uint8_t written[ENVELOPE_AAD_SIZE];
  if (envelope_write_header(written, &view.header, view.kem_ciphertext) != ENVELOPE_OK) std::abort();
  if (std::memcmp(written, data, sizeof written) != 0) std::abort();
  if (view.sealed + view.sealed_len != view.signature) std::abort();
  if (view.signature + ENVELOPE_SIGNATURE_SIZE != data + size) std::abort();
  return 0;
}
