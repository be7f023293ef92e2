// Fuzzes decode_setup: whatever it accepts, encode_setup writes again byte for byte.

#include <algorithm>
#include <array>
#include <cstdlib>

#include "channel/linux/setup.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds;
  const Bytes packet(reinterpret_cast<const std::byte*>(data), size);
  const auto message = channel::decode_setup(packet);
  if (!message) return 0;
  std::array<std::byte, channel::kSetupSize> again{};
  channel::encode_setup(*message, again);
  if (!std::ranges::equal(again, packet)) abort();
  return 0;
}
