#include <cstdlib>

#include "keystore/tpm/tpm_header.h"

// Function: TpmHeader::decode. Property: what is accepted is encoded to the same bytes again.
using namespace wvds;
using namespace wvds::keystore;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  const auto header = TpmHeader::decode(input);
  if (header && header->encode() != std::vector<std::byte>(input.begin(), input.end())) std::abort();
  return 0;
}
