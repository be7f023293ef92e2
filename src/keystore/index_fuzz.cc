#include <cstdlib>

#include "keystore/format.h"

// Functions: split_blob and IndexFields::decode. Property: what is accepted is encoded to the same bytes again.
using namespace wvds;
using namespace wvds::keystore;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  const auto blob = split_blob("fuzz", BlobKind::kIndex, input);
  const Bytes clear = blob ? blob->clear : input;
  const auto fields = IndexFields::decode("fuzz", clear);
  if (fields && fields->encode() != std::vector<std::byte>(clear.begin(), clear.end())) std::abort();
  return 0;
}
