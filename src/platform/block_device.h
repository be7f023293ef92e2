#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace wvds::platform {

inline constexpr size_t kSectorSize = 512;

// FlushPoint names each place of the product that asks a block device to make something durable. The power-cut tests
// leave out one after the other and must notice every time, so a new call of flush gets a name of its own here.
enum class FlushPoint : uint8_t {
  kFormatted,  // format_block_medium, between the two copies of the first directory
  kOpened,     // open_block_medium: what a former process left unflushed is about to be shown to somebody
  kRepaired,   // open_block_medium, after a torn first copy of the directory was written anew
  kContent,    // a change, before the first copy of the directory is written over
  kDirectory,  // a change, after the first copy of the directory
};
inline constexpr std::array kFlushPoints{FlushPoint::kFormatted, FlushPoint::kOpened, FlushPoint::kRepaired,
                                         FlushPoint::kContent, FlushPoint::kDirectory};
const char* flush_point_name(FlushPoint point);

// BlockDevice is a disk, or a part of one, as numbered sectors of kSectorSize bytes. A write is volatile until a flush
// that began after it returned has succeeded: a power cut before that may keep, lose or tear each sector written, and
// writes not flushed in any order. A torn sector reads as any bytes or not at all until it is written again; where the
// real sectors are larger, its neighbours within the same 4,096 aligned bytes may be torn with it. What a flush covered
// stays. A failed write may have changed any part of its sectors; after a failed flush nothing is known of the writes
// before it, and a later flush proves nothing for them.
// Every failure is kStorageError with a detail that names the device and the cause. Each call blocks as long as the
// device does; one call at a time.
class BlockDevice {
 public:
  virtual ~BlockDevice() = default;

  // name is the device's, for messages.
  virtual const std::string& name() const = 0;

  // sectors is their number; it does not change while the object lives.
  virtual uint64_t sectors() const = 0;

  // read fills `out`, and write stores `content`: whole sectors, the first of them being number `first`. A range that
  // is not on the device, or no whole number of sectors, is refused and nothing happens. After a failed read `out`
  // holds any bytes.
  virtual Result<> read(uint64_t first, MutableBytes out) = 0;
  virtual Result<> write(uint64_t first, Bytes content) = 0;

  // flush makes durable what was written before. A device that can't be written succeeds: nothing is left to do.
  virtual Result<> flush(FlushPoint point) = 0;
};

// check_sectors is how implementations of BlockDevice refuse a range: `size` bytes from sector `first` on.
Result<> check_sectors(const BlockDevice& device, uint64_t first, size_t size);

}  // namespace wvds::platform
