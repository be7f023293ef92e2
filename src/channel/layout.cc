#include "channel/layout.h"

#include <cstring>
#include <string>

namespace wvds::channel {
namespace {

constexpr size_t kHeaderFields = offsetof(Header, unused);

Header make_header(uint32_t slot_count, uint64_t epoch) {
  Header header{};
  header.magic = kLayoutMagic;
  header.version = kLayoutVersion;
  header.slot_count = slot_count;
  header.epoch = epoch;
  header.region_size = region_size(slot_count);
  header.control_offset = sizeof(Header);
  header.slots_offset = sizeof(Header) + sizeof(Control);
  header.slot_stride = sizeof(Slot);
  header.request_word_offset = offsetof(Slot, request_word);
  header.request_area_offset = offsetof(Slot, request_area);
  header.request_area_size = kRequestAreaSize;
  header.answer_word_offset = offsetof(Slot, answer_word);
  header.answer_area_offset = offsetof(Slot, answer_area);
  header.answer_area_size = kAnswerAreaSize;
  return header;
}

}  // namespace

void write_header(std::byte* base, uint32_t slot_count, uint64_t epoch) {
  const Header header = make_header(slot_count, epoch);
  std::memcpy(base, &header, kHeaderFields);
}

Result<RegionInfo> read_header(const std::byte* base, size_t size) {
  if (size < region_size(1)) return fail(Status::kProtocolError, "shared region is too small");
  Header header{};
  UntrustedBytes(Bytes(base, kHeaderFields))
      .copy_to(MutableBytes(reinterpret_cast<std::byte*>(&header), kHeaderFields));
  if (header.magic != kLayoutMagic) return fail(Status::kProtocolError, "shared region has no header");
  if (header.version != kLayoutVersion) {
    return fail(Status::kUnsupported, "channel layout version " + std::to_string(header.version));
  }
  if (!slot_count_is_valid(header.slot_count)) return fail(Status::kProtocolError, "slot count out of range");
  const Header expected = make_header(header.slot_count, header.epoch);
  if (std::memcmp(&header, &expected, kHeaderFields) != 0 || size != region_size(header.slot_count)) {
    return fail(Status::kProtocolError, "shared region is laid out otherwise");
  }
  return RegionInfo{header.slot_count, header.epoch};
}

}  // namespace wvds::channel
