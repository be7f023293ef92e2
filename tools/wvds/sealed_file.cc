#include "tools/wvds/sealed_file.h"

#include <algorithm>

#include "wvds_crypto.h"

namespace wvds::tool {
namespace {

constexpr std::array<uint8_t, 8> kStart{'W', 'V', 'D', 'S', '1', 1, 0, 0};

}  // namespace

SealedHeader sealed_header(uint32_t key_id) {
  SealedHeader header{};
  std::ranges::copy(kStart, header.begin());
  for (size_t i = 0; i < 4; ++i) header[kStart.size() + i] = static_cast<uint8_t>(key_id >> (8 * i));
  return header;
}

std::optional<SealedFile> parse_sealed_file(ByteView bytes) {
  if (bytes.size() < kSealedHeaderSize + WVDS_AES_OVERHEAD) return std::nullopt;
  if (!std::ranges::equal(bytes.first(kStart.size()), kStart)) return std::nullopt;
  SealedFile file;
  for (size_t i = 0; i < 4; ++i) file.key_id |= static_cast<uint32_t>(bytes[kStart.size() + i]) << (8 * i);
  file.header = bytes.first(kSealedHeaderSize);
  file.sealed = bytes.subspan(kSealedHeaderSize);
  return file;
}

}  // namespace wvds::tool
