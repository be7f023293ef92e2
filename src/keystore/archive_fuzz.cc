#include <cstdlib>

#include "keystore/archive.h"

// Functions: split_blob and ArchiveFields::decode. Property: what is accepted is encoded to the same bytes again.
using namespace wvds;
using namespace wvds::keystore;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  const auto blob = split_blob("fuzz", BlobKind::kArchive, input);
  const Bytes clear = blob ? blob->clear : input;
  const auto fields = ArchiveFields::decode("fuzz", clear);
  if (!fields) return 0;
  const auto again = fields->encode();
  if (!again || *again != std::vector<std::byte>(clear.begin(), clear.end())) std::abort();
  return 0;
}
