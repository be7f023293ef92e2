#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

// What a block medium knows of its blobs: docs/storage-format.md, "Raw sectors". Everything is counted in blocks of
// kBlockSize bytes, so that a disk whose real sectors are that large never tears two things at once.
namespace wvds::keystore {

inline constexpr size_t kBlockSize = 4096;
inline constexpr uint32_t kMinBlocks = 16;
inline constexpr uint32_t kMaxBlocks = 1 << 20;  // 4 GB; more of a device is left unused
inline constexpr size_t kMaxBlobName = 31;
inline constexpr uint8_t kDirectoryVersion = 1;

// is_blob_name: 1 to kMaxBlobName ASCII letters, digits, '-', '_' and '.'.
bool is_blob_name(std::string_view name);

// BlockLayout is where things lie on a medium of `blocks` blocks: two copies of the directory, then blobs. A copy has
// room for the largest directory that so many blocks can have.
struct BlockLayout {
  uint32_t blocks = 0;

  uint32_t copy_blocks() const { return 1 + blocks / 64; }
  uint32_t second_copy() const { return copy_blocks(); }
  uint32_t first_blob() const { return 2 * copy_blocks(); }
  size_t copy_size() const { return copy_blocks() * kBlockSize; }
};

struct Extent {
  uint32_t first = 0;
  uint32_t count = 0;
  bool operator==(const Extent&) const = default;
};

// BlobPlace: a blob's blocks, in their order. An empty blob has one block, too.
struct BlobPlace {
  uint32_t size = 0;  // bytes
  std::vector<Extent> extents = {};
  bool operator==(const BlobPlace&) const = default;
};
uint32_t blocks_of(size_t blob_size);

struct BlockDirectory {
  uint64_t sequence = 0;  // grows with each change
  BlockLayout layout;
  std::map<std::string, BlobPlace, std::less<>> blobs = {};

  // decode accepts exactly what encode writes, and only what is sound: every block inside the medium and in one place
  // only. `copy` begins with a directory and may go on after it. kStorageError for what is damaged, kUnsupported for
  // what a newer program wrote; the message has no name in front.
  static Result<BlockDirectory> decode(const crypto::Library& library, Bytes copy);
  Result<std::vector<std::byte>> encode(const crypto::Library& library) const;

  // allocate finds free blocks for a blob of `size` bytes, the first ones that are free; empty when they do not
  // suffice.
  std::optional<BlobPlace> allocate(size_t size) const;
  uint32_t free_blocks() const;

 private:
  std::vector<bool> used_blocks() const;
};

// directory_size reads how long the directory that begins here says to be, in bytes, and 0 where none begins.
size_t directory_size(Bytes copy);

}  // namespace wvds::keystore
