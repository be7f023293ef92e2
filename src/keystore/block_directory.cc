#include "keystore/block_directory.h"

#include <algorithm>

#include "crypto/kdf.h"
#include "keystore/medium.h"

namespace wvds::keystore {
namespace {

constexpr std::string_view kDirectoryMagic = "WvdSDisk";
constexpr size_t kSizeOffset = 12;
constexpr size_t kDirectoryHeadSize = 32;
constexpr size_t kDirectoryChecksumSize = 32;
constexpr size_t kExtentSize = 8;
constexpr uint64_t kSequenceLimit = uint64_t{1} << 63;  // no device lives to see it

// A copy has room for the largest directory, one blob with the longest name in each block: copy_blocks() gives at least
// 64 bytes for each block and 64 more.
static_assert(1 + kMaxBlobName + 4 + 4 + kExtentSize <= kBlockSize / 64);
static_assert(kDirectoryHeadSize + kDirectoryChecksumSize <= kBlockSize / 64);

std::unexpected<Error> damaged(std::string_view why) {
  return fail(Status::kStorageError, "damaged: " + std::string(why));
}

std::unexpected<Error> from_newer_program(std::string_view what) {
  return fail(Status::kUnsupported, std::string(what) + ": use a program that knows it. Nothing was changed");
}

size_t encoded_size(const BlockDirectory& directory) {
  size_t size = kDirectoryHeadSize + kDirectoryChecksumSize;
  for (const auto& [name, place] : directory.blobs) size += 9 + name.size() + place.extents.size() * kExtentSize;
  return size;
}

// check_whole tells a directory that is whole from one that is torn or damaged; returns its part before the checksum.
Result<Bytes> check_whole(const crypto::Library& library, Bytes copy) {
  const size_t size = directory_size(copy);
  if (size == 0) return damaged("no directory");
  if (size < kDirectoryHeadSize + kDirectoryChecksumSize || size > copy.size())
    return damaged("not as long as it says");
  const Bytes content = copy.first(size - kDirectoryChecksumSize);
  WVDS_ASSIGN(checksum, crypto::sha256(library, content));
  if (!std::ranges::equal(checksum, copy.subspan(content.size(), kDirectoryChecksumSize)))
    return damaged("its checksum does not match");
  return content;
}

// Claims marks the blocks that a directory uses, each once.
class Claims {
 public:
  explicit Claims(BlockLayout layout) : layout_(layout), used_(layout.blocks) {}

  bool claim(const Extent& extent) {
    if (extent.count == 0 || extent.first < layout_.first_blob() || extent.first >= layout_.blocks ||
        extent.count > layout_.blocks - extent.first)
      return false;
    for (uint32_t block = extent.first; block < extent.first + extent.count; ++block) {
      if (used_[block]) return false;
      used_[block] = true;
    }
    return true;
  }

 private:
  const BlockLayout layout_;
  std::vector<bool> used_;
};

Result<BlobPlace> read_place(Reader& reader, Claims& claims) {
  BlobPlace place;
  place.size = reader.u32();
  const uint32_t extents = reader.u32();
  if (place.size > kMaxBlobSize) return damaged("a blob is too long");
  if (extents > reader.left() / kExtentSize) return damaged("cut short");
  uint64_t blocks = 0;
  for (uint32_t i = 0; i < extents; ++i) {
    const uint32_t first = reader.u32();
    const Extent extent{first, reader.u32()};
    if (!claims.claim(extent)) return damaged("a blob's blocks are not its own");
    blocks += extent.count;
    place.extents.push_back(extent);
  }
  if (blocks != blocks_of(place.size)) return damaged("a blob does not fit its blocks");
  return place;
}

// Names ascend, so that none is there twice.
Result<> read_blobs(Reader& reader, uint32_t count, BlockDirectory& directory) {
  Claims claims(directory.layout);
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t size = reader.u8();
    std::string name = reader.text(size);
    if (!is_blob_name(name)) return damaged("a name that no program writes");
    if (!directory.blobs.empty() && name <= directory.blobs.rbegin()->first) return damaged("names out of order");
    WVDS_ASSIGN(place, read_place(reader, claims));
    directory.blobs.emplace_hint(directory.blobs.end(), std::move(name), std::move(place));
  }
  if (!reader.finish()) return damaged("not as long as it says");
  return {};
}

}  // namespace

bool is_blob_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= kMaxBlobName && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

uint32_t blocks_of(size_t blob_size) {
  return static_cast<uint32_t>(std::max<size_t>(1, (blob_size + kBlockSize - 1) / kBlockSize));
}

size_t directory_size(Bytes copy) {
  if (copy.size() < kDirectoryHeadSize ||
      !std::ranges::equal(copy.first(kDirectoryMagic.size()), as_bytes(kDirectoryMagic)))
    return 0;
  Reader reader(copy.subspan(kSizeOffset));
  return reader.u32();
}

Result<BlockDirectory> BlockDirectory::decode(const crypto::Library& library, Bytes copy) {
  WVDS_ASSIGN(content, check_whole(library, copy));
  Reader reader(content.subspan(kDirectoryMagic.size()));
  const uint8_t version = reader.u8();
  const uint8_t zero1 = reader.u8();
  const uint16_t zero2 = reader.u16();
  reader.u32();  // the size, which check_whole has used
  BlockDirectory directory;
  directory.sequence = reader.u64();
  directory.layout.blocks = reader.u32();
  const uint32_t count = reader.u32();
  if (version != kDirectoryVersion) {
    return from_newer_program("written in sector format " + std::to_string(version) + "; this program reads format " +
                              std::to_string(kDirectoryVersion));
  }
  if (zero1 != 0 || zero2 != 0) return from_newer_program("uses a part of the format that this program does not know");
  if (directory.sequence == 0 || directory.sequence >= kSequenceLimit) return damaged("an impossible sequence number");
  if (directory.layout.blocks < kMinBlocks || directory.layout.blocks > kMaxBlocks)
    return damaged("an impossible number of blocks");
  WVDS_TRY(read_blobs(reader, count, directory));
  return directory;
}

Result<std::vector<std::byte>> BlockDirectory::encode(const crypto::Library& library) const {
  if (sequence >= kSequenceLimit) return fail(Status::kStorageError, "the directory's sequence numbers are used up");
  std::vector<std::byte> out(encoded_size(*this));
  Writer writer(out);
  writer.text(kDirectoryMagic);
  writer.u8(kDirectoryVersion);
  writer.zeros(3);
  writer.u32(static_cast<uint32_t>(out.size()));
  writer.u64(sequence);
  writer.u32(layout.blocks);
  writer.u32(static_cast<uint32_t>(blobs.size()));
  for (const auto& [name, place] : blobs) {
    writer.u8(static_cast<uint8_t>(name.size()));
    writer.text(name);
    writer.u32(place.size);
    writer.u32(static_cast<uint32_t>(place.extents.size()));
    for (const Extent& extent : place.extents) {
      writer.u32(extent.first);
      writer.u32(extent.count);
    }
  }
  WVDS_ASSIGN(checksum, crypto::sha256(library, Bytes(out).first(writer.size())));
  writer.bytes(checksum);
  WVDS_TRY(writer.finish());
  return out;
}

std::vector<bool> BlockDirectory::used_blocks() const {
  std::vector<bool> used(layout.blocks);
  std::fill_n(used.begin(), layout.first_blob(), true);
  for (const auto& [name, place] : blobs) {
    for (const Extent& extent : place.extents) std::fill_n(used.begin() + extent.first, extent.count, true);
  }
  return used;
}

uint32_t BlockDirectory::free_blocks() const {
  const std::vector<bool> used = used_blocks();
  return static_cast<uint32_t>(std::ranges::count(used, false));
}

std::optional<BlobPlace> BlockDirectory::allocate(size_t size) const {
  const std::vector<bool> used = used_blocks();
  BlobPlace place{.size = static_cast<uint32_t>(size)};
  uint32_t missing = blocks_of(size);
  for (uint32_t block = layout.first_blob(); block < layout.blocks && missing > 0; ++block) {
    if (used[block]) continue;
    if (!place.extents.empty() && place.extents.back().first + place.extents.back().count == block) {
      ++place.extents.back().count;
    } else {
      place.extents.push_back({block, 1});
    }
    --missing;
  }
  return missing == 0 ? std::optional(std::move(place)) : std::nullopt;
}

}  // namespace wvds::keystore
