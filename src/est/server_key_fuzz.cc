// Fuzzes read_server_key (server_key.h).
// Property: the input is wiped whatever it was; a key that is read has a public half.

#include <algorithm>
#include <vector>

#include "est/server_key.h"
#include "est/testing/fuzz_library.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds::est;
  const auto input = std::as_bytes(std::span(data, size));
  std::vector<std::byte> received(input.begin(), input.end());
  const auto key = read_server_key(fuzz_library(), received);
  require(std::ranges::all_of(received, [](std::byte byte) { return byte == std::byte{0}; }));
  if (key) require(key->pkcs8.size() == size && !key->spki.empty());
  return 0;
}
