#include <algorithm>
#include <cstdlib>
#include <map>

#include "crypto/kdf.h"
#include "keystore/block_directory.h"
#include "keystore/block_medium.h"
#include "keystore/testing/test_library.h"
#include "platform/ram_block_device.h"

// Functions: open_block_medium, BlockDirectory::decode and everything a Medium does. The input is the beginning of a
// device; the checksums are made right first, since no mutation would ever meet one. Property: what opens can be read,
// takes changes unless it is full, and is the same when it is opened again.
using namespace wvds;
using namespace wvds::keystore;

namespace {

using Blob = std::vector<std::byte>;
using Contents = std::map<std::string, Blob>;

constexpr size_t kBlocks = 32;

void require(bool condition) {
  if (!condition) std::abort();
}

void make_checksum_right(MutableBytes copy) {
  constexpr size_t kChecksumSize = 32;
  const size_t size = directory_size(copy);
  if (size < kChecksumSize || size > copy.size()) return;
  const auto checksum = crypto::sha256(testing::library(), copy.first(size - kChecksumSize));
  require(checksum.has_value());
  copy_bytes(*checksum, copy.subspan(size - kChecksumSize, kChecksumSize));
}

std::unique_ptr<Medium> open(Blob& image) {
  auto medium = open_block_medium(std::make_unique<platform::RamBlockDevice>("fuzz", image), testing::library());
  return medium ? std::move(*medium) : nullptr;
}

Contents contents_of(Medium& medium) {
  Contents out;
  const auto names = medium.list();
  require(names.has_value());
  for (const std::string& name : *names) out[name] = medium.read(name).value();
  return out;
}

void change(Medium& medium, Contents& contents) {
  const Blob blob(5000, std::byte{0x77});
  if (medium.replace("fuzz", blob)) contents["fuzz"] = blob;
  if (contents.empty()) return;
  const std::string first = contents.begin()->first;
  if (medium.remove(first)) contents.erase(first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Blob image(kBlocks * kBlockSize);
  copy_bytes(std::as_bytes(std::span(data, std::min(size, image.size()))), image);
  const BlockLayout layout{kBlocks};
  make_checksum_right(MutableBytes(image).first(layout.copy_size()));
  make_checksum_right(MutableBytes(image).subspan(layout.copy_size(), layout.copy_size()));
  const auto medium = open(image);
  if (medium == nullptr) return 0;
  Contents contents = contents_of(*medium);
  change(*medium, contents);
  require(contents_of(*medium) == contents);
  const auto again = open(image);
  require(again != nullptr && contents_of(*again) == contents);
  return 0;
}
