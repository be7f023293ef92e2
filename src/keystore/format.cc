#include "keystore/format.h"

#include <algorithm>
#include <cctype>

namespace wvds::keystore {
namespace {

std::string hex4(uint16_t value) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 12; shift >= 0; shift -= 4) text += kHex[value >> shift & 15];
  return text;
}

// utf8_length returns the length of the character that starts `text`, as RFC 3629 allows it; 0 where there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first > 0xf4 || text.size() < length) return 0;
  const unsigned second = byte(1);
  const unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::unexpected<Error> malformed(std::string_view name, std::string_view why) {
  return fail(Status::kStorageError, std::string(name) + ": " + std::string(why));
}

std::unexpected<Error> from_newer(std::string_view name, std::string_view what) {
  return fail(Status::kUnsupported,
              std::string(name) + ": " + std::string(what) + ", which this program does not know: use a newer one");
}

bool is_owner_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxOwnerSize && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

bool is_label(std::string_view label) {
  if (label.size() > kMaxLabelSize) return false;
  while (!label.empty()) {
    const auto first = static_cast<unsigned char>(label[0]);
    const size_t length = utf8_length(label);
    if (length == 0 || first < 0x20 || first == 0x7f) return false;
    label.remove_prefix(length);
  }
  return true;
}

size_t encoded_size(const Extensions& extensions) {
  size_t size = 4;
  for (const Extension& extension : extensions) size += 4 + extension.value.size();
  return size;
}

void write_extensions(Writer& writer, const Extensions& extensions) {
  writer.u32(static_cast<uint32_t>(encoded_size(extensions) - 4));
  for (const Extension& extension : extensions) {
    writer.u16(extension.tag);
    writer.u16(static_cast<uint16_t>(extension.value.size()));
    writer.bytes(extension.value);
  }
}

Result<Extensions> read_extensions(std::string_view name, Reader& reader, std::initializer_list<uint16_t> known) {
  Reader part(reader.bytes(reader.u32()));
  if (reader.failed()) return malformed(name, "shorter than its fields say");
  Extensions out;
  while (part.left() > 0) {
    Extension extension{.tag = part.u16(), .value = {}};
    const UntrustedBytes value = part.bytes(part.u16());
    if (part.failed()) return malformed(name, "an extension is shorter than it says");
    if (!out.empty() && extension.tag <= out.back().tag) return malformed(name, "its extensions are out of order");
    if (extension.tag >= kCriticalTag && std::ranges::find(known, extension.tag) == known.end()) {
      return from_newer(name, "needs extension " + hex4(extension.tag));
    }
    extension.value.resize(value.size());
    value.copy_to(extension.value);
    out.push_back(std::move(extension));
  }
  return out;
}

Result<HeaderFields> HeaderFields::decode(std::string_view name, Bytes clear) {
  Reader reader(clear);
  HeaderFields out;
  out.generation = reader.u64();
  out.protector = static_cast<Place>(reader.u8());
  const uint8_t zero = reader.u8();
  const UntrustedBytes protector = reader.bytes(reader.u16());
  if (reader.failed() || protector.size() > kMaxProtectorHeader) return malformed(name, "its fields don't fit");
  if (zero != 0) return from_newer(name, "uses a part of the format");
  out.protector_header.resize(protector.size());
  protector.copy_to(out.protector_header);
  WVDS_ASSIGN(extensions, read_extensions(name, reader));
  out.extensions = std::move(extensions);
  if (!reader.finish()) return malformed(name, "longer than its fields say");
  return out;
}

std::vector<std::byte> HeaderFields::encode() const {
  std::vector<std::byte> out(12 + protector_header.size() + encoded_size(extensions));
  Writer writer(out);
  writer.u64(generation);
  writer.u8(static_cast<uint8_t>(protector));
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(protector_header.size()));
  writer.bytes(protector_header);
  write_extensions(writer, extensions);
  return out;
}

}  // namespace wvds::keystore
