#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/bytes.h"
#include "base/result.h"

// The shared region, as docs/channel.md describes it byte by byte. Both sides write into it and neither believes what
// it reads there. All numbers are little-endian.
namespace wvds::channel {

inline constexpr uint64_t kLayoutMagic = 0x3130'4843'5364'7657;  // the bytes "WvdSCH01"
inline constexpr uint32_t kLayoutVersion = 1;
inline constexpr uint32_t kMaxSlots = 64;
inline constexpr size_t kPageSize = 4096;
inline constexpr size_t kLineSize = 64;

// The areas' sizes in bytes: a frame header and the largest payload of a request and of an answer.
inline constexpr size_t kRequestAreaSize = 65'544;
inline constexpr size_t kAnswerAreaSize = 65'572;

static_assert(std::endian::native == std::endian::little);

constexpr size_t round_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

// A word is a number that one side writes and the other reads. Every access is sequentially consistent: the handshake
// of bell.h needs the one order of stores and loads that all agree on.
using Word = uint32_t;
static_assert(std::atomic_ref<Word>::is_always_lock_free);

inline Word load(const Word& word) { return std::atomic_ref<Word>(const_cast<Word&>(word)).load(); }
inline void store(Word& word, Word value) { std::atomic_ref<Word>(word).store(value); }

// Header is written by the service before the client sees the region, and never read by the service again.
struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t slot_count;
  uint64_t epoch;
  uint64_t region_size;
  uint32_t control_offset;
  uint32_t slots_offset;
  uint32_t slot_stride;
  uint32_t request_word_offset;  // this and the following: from the start of a slot
  uint32_t request_area_offset;
  uint32_t request_area_size;
  uint32_t answer_word_offset;
  uint32_t answer_area_offset;
  uint32_t answer_area_size;
  std::byte unused[kPageSize - 68];
};
static_assert(sizeof(Header) == kPageSize && std::is_trivially_copyable_v<Header>);
static_assert(offsetof(Header, version) == 8 && offsetof(Header, slot_count) == 12);
static_assert(offsetof(Header, epoch) == 16 && offsetof(Header, region_size) == 24);
static_assert(offsetof(Header, control_offset) == 32 && offsetof(Header, slots_offset) == 36);
static_assert(offsetof(Header, slot_stride) == 40 && offsetof(Header, request_word_offset) == 44);
static_assert(offsetof(Header, request_area_offset) == 48 && offsetof(Header, request_area_size) == 52);
static_assert(offsetof(Header, answer_word_offset) == 56 && offsetof(Header, answer_area_offset) == 60);
static_assert(offsetof(Header, answer_area_size) == 64 && offsetof(Header, unused) == 68);

// Control holds the words of sleeping and waking (bell.h), each alone on its cache line.
struct Control {
  alignas(kLineSize) Word service_sleeping;  // the service writes: 1 while it sleeps or is about to
  alignas(kLineSize) Word service_bell;      // the client writes: another value with each ring
  alignas(kLineSize) Word client_sleeping;   // the client writes
  alignas(kLineSize) Word client_bell;       // the service writes
  alignas(kLineSize) Word
      client_processor;  // the client writes: where the worker may join it (pairing.h), plus 1; or 0
  alignas(kLineSize) std::byte unused[kPageSize - 5 * kLineSize];
};
static_assert(sizeof(Control) == kPageSize && std::is_trivially_copyable_v<Control>);
static_assert(offsetof(Control, service_bell) == 64 && offsetof(Control, client_sleeping) == 128);
static_assert(offsetof(Control, unused) == 320);
static_assert(offsetof(Control, client_bell) == 192 && offsetof(Control, client_processor) == 256);

// Slot carries one request and its answer. A word shares the cache line of its area's first bytes: the frame header
// then arrives with the word, which halves the time of a small call. No line is written by both sides.
struct Slot {
  alignas(2 * kLineSize) Word request_word;  // the client writes: generation of the submit
  alignas(8) std::byte request_area[kRequestAreaSize];
  alignas(2 * kLineSize) Word answer_word;  // the service writes: generation of the submit that is answered
  alignas(8) std::byte answer_area[kAnswerAreaSize];
};
static_assert(sizeof(Slot) == 131'328 && std::is_trivially_copyable_v<Slot>);
static_assert(offsetof(Slot, request_word) == 0 && offsetof(Slot, request_area) == 8);
static_assert(offsetof(Slot, answer_word) == 65'664 && offsetof(Slot, answer_area) == 65'672);
static_assert(offsetof(Slot, answer_word) >= round_up(offsetof(Slot, request_area) + kRequestAreaSize, kLineSize));
static_assert(sizeof(Slot) >= round_up(offsetof(Slot, answer_area) + kAnswerAreaSize, kLineSize));

// region_size is the size in bytes of a region with this many slots, a whole number of pages.
constexpr size_t region_size(uint32_t slot_count) {
  return round_up(sizeof(Header) + sizeof(Control) + slot_count * sizeof(Slot), kPageSize);
}

constexpr bool slot_count_is_valid(uint32_t slot_count) { return slot_count >= 1 && slot_count <= kMaxSlots; }

// Region is a mapped region, seen through its layout. It owns nothing; base is aligned to a page and
// region_size(slot_count) bytes are mapped. Its numbers are private copies.
class Region {
 public:
  Region(std::byte* base, uint32_t slot_count) : base_(base), slot_count_(slot_count) {}

  uint32_t slot_count() const { return slot_count_; }
  Control& control() const { return *reinterpret_cast<Control*>(base_ + sizeof(Header)); }

  // slot requires index < slot_count().
  Slot& slot(uint32_t index) const {
    return *reinterpret_cast<Slot*>(base_ + sizeof(Header) + sizeof(Control) + index * sizeof(Slot));
  }

 private:
  std::byte* base_;
  uint32_t slot_count_;
};

// write_header fills the header of a new region.
void write_header(std::byte* base, uint32_t slot_count, uint64_t epoch);

// RegionInfo is what a client takes from a header; everything else in it must be as this build lays it out.
struct RegionInfo {
  uint32_t slot_count = 0;
  uint64_t epoch = 0;
};

// read_header copies the header out and checks all of it; `size` is the size in bytes of the mapped region, from the
// operating system. kUnsupported for another layout version, kProtocolError for anything else that does not fit.
Result<RegionInfo> read_header(const std::byte* base, size_t size);

}  // namespace wvds::channel
