#include "keystore/block_medium.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "keystore/block_directory.h"

// How a change survives a power cut. The directory lies there twice. At rest both copies are the same, and the second
// one need not be durable yet. A change
//   1. writes the new blob into blocks that are free, and flushes: now the second copy is durable, too;
//   2. writes the first copy, and flushes: this makes the change. Torn, it leaves the second copy, which is the former
//      directory, whose blobs nothing has touched;
//   3. writes the second copy, which step 1 of the next change makes durable before the first one is touched again.
// So of both copies one is always whole and durable, and whichever is whole and newer is right. Opening a medium puts
// the other one right before anything else.
namespace wvds::keystore {
namespace {

using platform::BlockDevice;
using platform::FlushPoint;
using platform::kSectorSize;

constexpr size_t kSectorsPerBlock = kBlockSize / kSectorSize;
constexpr uint32_t kFirstCopy = 0;

template <class T>
std::unexpected<Error> about(std::string_view what, Result<T>& failed) {
  return fail(failed.error().status, std::string(what) + ": " + failed.error().detail);
}

BlockLayout layout_of(const BlockDevice& device) {
  return {static_cast<uint32_t>(std::min<uint64_t>(device.sectors() / kSectorsPerBlock, kMaxBlocks))};
}

Result<> check_size(const BlockDevice& device) {
  if (layout_of(device).blocks >= kMinBlocks) return {};
  return fail(Status::kStorageError, device.name() + ": too small: a key store needs " +
                                         std::to_string(kMinBlocks * kBlockSize) + " bytes at least");
}

Result<> read_blocks(BlockDevice& device, uint64_t first, MutableBytes out) {
  return device.read(first * kSectorsPerBlock, out);
}

Result<> write_blocks(BlockDevice& device, uint64_t first, Bytes content) {
  return device.write(first * kSectorsPerBlock, content);
}

// encode gives a directory as whole blocks.
Result<std::vector<std::byte>> encode(const BlockDirectory& directory, const crypto::Library& library) {
  WVDS_ASSIGN(encoded, directory.encode(library));
  encoded.resize(blocks_of(encoded.size()) * kBlockSize);
  return encoded;
}

// read_copy reads the copy of a directory that begins at block `first`, of at most what `layout` has room for.
Result<BlockDirectory> read_copy(BlockDevice& device, const crypto::Library& library, uint32_t first,
                                 const BlockLayout& layout) {
  std::vector<std::byte> copy(kBlockSize);
  WVDS_TRY(read_blocks(device, first, copy));
  const size_t size = directory_size(copy);
  if (size > kBlockSize && size <= layout.copy_size()) {
    copy.resize(blocks_of(size) * kBlockSize);
    WVDS_TRY(read_blocks(device, first + 1, MutableBytes(copy).subspan(kBlockSize)));
  }
  WVDS_ASSIGN(directory, BlockDirectory::decode(library, copy));
  if (directory.layout.blocks > layout.blocks) {
    return fail(Status::kStorageError, "made for " + std::to_string(directory.layout.blocks) +
                                           " blocks; the device has " + std::to_string(layout.blocks));
  }
  return directory;
}

// Copies is what both copies say; whole and newer is right.
struct Copies {
  BlockDirectory newest;
  bool first_is_good = false;  // it is the newest
  bool second_is_good = false;
};

bool is_blank(Bytes block) {
  const std::byte value = block.front();
  return (value == std::byte{0} || value == std::byte{0xff}) &&
         std::ranges::all_of(block, [value](std::byte byte) { return byte == value; });
}

template <class T>
std::unexpected<Error> unusable(BlockDevice& device, const crypto::Library& library, const Result<T>& first,
                                const Result<T>& second) {
  const auto blank = is_blank_block_device(device, library);
  if (blank && *blank)
    return fail(Status::kStorageError, device.name() + ": not formatted as a key store: it is blank");
  return fail(Status::kStorageError, device.name() + ": no key store can be read from it (first copy: " +
                                         first.error().detail + "; second copy: " + second.error().detail +
                                         "): put the device's content back from a backup. Nothing was changed");
}

Result<Copies> read_copies(BlockDevice& device, const crypto::Library& library) {
  auto first = read_copy(device, library, kFirstCopy, layout_of(device));
  if (!first && first.error().status == Status::kUnsupported) return about(device.name(), first);
  // Where the second copy is depends on the size that the device had when it was formatted.
  const BlockLayout layout = first ? first->layout : layout_of(device);
  auto second = read_copy(device, library, layout.second_copy(), layout);
  if (!second && second.error().status == Status::kUnsupported) return about(device.name(), second);
  if (second && second->layout.blocks != layout.blocks)
    second = fail(Status::kStorageError, "belongs to a device of another size");
  if (!first && !second) return unusable(device, library, first, second);
  const uint64_t newest = std::max(first ? first->sequence : 0, second ? second->sequence : 0);
  Copies copies;
  copies.first_is_good = first && first->sequence == newest;
  copies.second_is_good = second && second->sequence == newest;
  copies.newest = std::move(copies.first_is_good ? *first : *second);
  return copies;
}

class BlockMedium : public Medium {
 public:
  BlockMedium(std::unique_ptr<BlockDevice> device, const crypto::Library& library)
      : device_(std::move(device)), library_(library) {}

  Result<> open();

  Result<std::vector<std::string>> list() override;
  Result<std::vector<std::byte>> read(std::string_view name) override;
  Result<> replace(std::string_view name, Bytes content) override;
  Result<> remove(std::string_view name) override;

 private:
  Result<> check_trusted() const;
  Result<BlobPlace> find_room(std::string_view name, size_t size) const;
  Result<> write_blob(const BlobPlace& place, Bytes content);
  void repair_first_copy();
  Result<> write_second_copy();
  Result<> prepare(const BlobPlace* place, Bytes content);
  Result<> write_directory(BlockDirectory next, std::vector<std::byte> encoded);
  Result<> change(BlockDirectory next, const BlobPlace* place, Bytes content);

  const std::unique_ptr<BlockDevice> device_;
  const crypto::Library& library_;
  BlockDirectory directory_;        // what is durable
  std::vector<std::byte> encoded_;  // the same, as whole blocks
  bool second_is_good_ = false;     // the second copy was written and nothing is known against it
  std::string distrusted_;          // the failure after which the device's state is unknown
};

Result<> BlockMedium::open() {
  WVDS_TRY(check_size(*device_));
  WVDS_ASSIGN(copies, read_copies(*device_, library_));
  WVDS_TRY(device_->flush(FlushPoint::kOpened));
  directory_ = std::move(copies.newest);
  WVDS_ASSIGN(encoded, encode(directory_, library_));
  encoded_ = std::move(encoded);
  second_is_good_ = copies.second_is_good;
  // A device that can't be written can still be read; a change writes the second copy itself where this fails.
  if (!second_is_good_) static_cast<void>(write_second_copy().has_value());
  if (!copies.first_is_good) repair_first_copy();
  return {};
}

// A first copy that was torn names blocks that count as free, and a power cut could make it whole again from old and
// new sectors when it is next written. So nothing is shown, and no block written, before it is durably gone.
void BlockMedium::repair_first_copy() {
  auto done = write_blocks(*device_, kFirstCopy, encoded_);
  if (done) done = device_->flush(FlushPoint::kRepaired);
  if (!done) distrusted_ = done.error().detail;
}

Result<std::vector<std::string>> BlockMedium::list() {
  std::vector<std::string> names;
  names.reserve(directory_.blobs.size());
  for (const auto& [name, place] : directory_.blobs) names.push_back(name);
  return names;
}

Result<std::vector<std::byte>> BlockMedium::read(std::string_view name) {
  const auto found = directory_.blobs.find(name);
  if (found == directory_.blobs.end()) return fail(Status::kKeyNotFound, std::string(name) + ": no such blob");
  const BlobPlace& place = found->second;
  std::vector<std::byte> out(blocks_of(place.size) * kBlockSize);
  MutableBytes left = out;
  for (const Extent& extent : place.extents) {
    const MutableBytes part = left.first(extent.count * kBlockSize);
    if (auto done = read_blocks(*device_, extent.first, part); !done) return about(name, done);
    left = left.subspan(part.size());
  }
  out.resize(place.size);
  return out;
}

Result<> BlockMedium::replace(std::string_view name, Bytes content) {
  WVDS_TRY(check_trusted());
  WVDS_ASSIGN(place, find_room(name, content.size()));
  BlockDirectory next = directory_;
  next.blobs.insert_or_assign(std::string(name), place);
  auto done = change(std::move(next), &place, content);
  return done ? Result<>{} : about(name, done);
}

Result<> BlockMedium::remove(std::string_view name) {
  WVDS_TRY(check_trusted());
  BlockDirectory next = directory_;
  const auto found = next.blobs.find(name);
  if (found == next.blobs.end()) return {};
  next.blobs.erase(found);
  auto done = change(std::move(next), nullptr, {});
  return done ? Result<>{} : about(name, done);
}

Result<> BlockMedium::check_trusted() const {
  if (distrusted_.empty()) return {};
  return fail(Status::kStorageError,
              "no further changes after \"" + distrusted_ + "\": check the device, then start the service again");
}

Result<BlobPlace> BlockMedium::find_room(std::string_view name, size_t size) const {
  if (!is_blob_name(name)) return fail(Status::kStorageError, device_->name() + ": can't keep a blob of such a name");
  if (size > kMaxBlobSize)
    return fail(Status::kStorageError, std::string(name) + ": " + std::to_string(size) + " bytes are too many");
  auto place = directory_.allocate(size);
  if (place) return std::move(*place);
  return fail(Status::kStorageError, std::string(name) + ": no space left on " + device_->name() + ": " +
                                         std::to_string(blocks_of(size)) + " free blocks are needed, there are " +
                                         std::to_string(directory_.free_blocks()));
}

Result<> BlockMedium::write_blob(const BlobPlace& place, Bytes content) {
  for (const Extent& extent : place.extents) {
    std::vector<std::byte> blocks(extent.count * kBlockSize);
    const Bytes part = content.first(std::min(content.size(), blocks.size()));
    copy_bytes(part, blocks);
    WVDS_TRY(write_blocks(*device_, extent.first, blocks));
    content = content.subspan(part.size());
  }
  return {};
}

Result<> BlockMedium::write_second_copy() {
  auto done = write_blocks(*device_, directory_.layout.second_copy(), encoded_);
  second_is_good_ = done.has_value();
  return done;
}

// prepare is step 1. After a failure the second copy is written again before anything is built on it: a later flush
// would prove nothing for the former writing.
Result<> BlockMedium::prepare(const BlobPlace* place, Bytes content) {
  if (!second_is_good_) WVDS_TRY(write_second_copy());
  if (place != nullptr) WVDS_TRY(write_blob(*place, content));
  auto done = device_->flush(FlushPoint::kContent);
  if (!done) second_is_good_ = false;
  return done;
}

// Steps 2 and 3. When step 3 fails the change is durable all the same; the next one makes up for it or fails.
Result<> BlockMedium::write_directory(BlockDirectory next, std::vector<std::byte> encoded) {
  auto done = write_blocks(*device_, kFirstCopy, encoded);
  if (done) done = device_->flush(FlushPoint::kDirectory);
  if (!done) {
    distrusted_ = done.error().detail;
    return done;
  }
  directory_ = std::move(next);
  encoded_ = std::move(encoded);
  static_cast<void>(write_second_copy().has_value());
  return {};
}

Result<> BlockMedium::change(BlockDirectory next, const BlobPlace* place, Bytes content) {
  ++next.sequence;
  WVDS_ASSIGN(encoded, encode(next, library_));
  WVDS_TRY(prepare(place, content));
  return write_directory(std::move(next), std::move(encoded));
}

}  // namespace

Result<std::unique_ptr<Medium>> open_block_medium(std::unique_ptr<BlockDevice> device, const crypto::Library& library) {
  auto medium = std::make_unique<BlockMedium>(std::move(device), library);
  WVDS_TRY(medium->open());
  return medium;
}

// Formatting writes the first block of the second copy before anything else, so that block may hold anything; the first
// copy is untouched until that one is durable.
Result<bool> is_blank_block_device(BlockDevice& device, const crypto::Library& library) {
  WVDS_TRY(check_size(device));
  const BlockLayout layout = layout_of(device);
  const auto second = read_copy(device, library, layout.second_copy(), layout);
  if (second || second.error().status != Status::kStorageError) return false;
  std::vector<std::byte> block(kBlockSize);
  for (uint32_t number = 0; number < layout.first_blob(); ++number) {
    if (number == layout.second_copy()) continue;
    WVDS_TRY(read_blocks(device, number, block));
    if (!is_blank(block)) return false;
  }
  return true;
}

Result<> format_block_medium(BlockDevice& device, const crypto::Library& library) {
  WVDS_ASSIGN(blank, is_blank_block_device(device, library));
  if (!blank) {
    return fail(Status::kStorageError, device.name() +
                                           ": not blank, so it is not formatted: to use it all the same, fill its "
                                           "beginning with zeros first");
  }
  const BlockDirectory empty{.sequence = 1, .layout = layout_of(device)};
  WVDS_ASSIGN(encoded, encode(empty, library));
  WVDS_TRY(write_blocks(device, empty.layout.second_copy(), encoded));
  WVDS_TRY(device.flush(FlushPoint::kFormatted));
  return write_blocks(device, kFirstCopy, encoded);
}

Result<std::unique_ptr<Medium>> open_or_format_block_medium(std::unique_ptr<BlockDevice> device,
                                                            const crypto::Library& library) {
  WVDS_ASSIGN(blank, is_blank_block_device(*device, library));
  if (blank) {
    log_info("formatting the store's device", {{"device", device->name()}, {"sectors", device->sectors()}});
    WVDS_TRY(format_block_medium(*device, library));
  }
  return open_block_medium(std::move(device), library);
}

}  // namespace wvds::keystore
