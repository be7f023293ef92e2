#include <algorithm>

#include "keystore/archive.h"
#include "keystore/store_files.h"

// An archive's clear part: docs/storage-format.md, "Archive".
namespace wvds::keystore {
namespace {

constexpr size_t kFixedSize = 8;

Result<ArchivedBlob> read_blob(std::string_view name, Reader& reader) {
  ArchivedBlob blob;
  blob.name = reader.text(reader.u8());
  const uint32_t size = reader.u32();
  blob.content = reader.bytes(size).in_place();
  if (reader.failed()) return malformed(name, "shorter than its fields say");
  if (size > kMaxBlobSize || !is_archived(blob.name)) return malformed(name, "holds what is no part of a store");
  return blob;
}

}  // namespace

bool is_archived(std::string_view name) {
  return std::ranges::find(kIndexNames, name) != kIndexNames.end() || id_of_record(name).has_value();
}

Result<ArchiveFields> ArchiveFields::decode(std::string_view name, Bytes clear) {
  Reader reader(clear);
  ArchiveFields out;
  const auto place = static_cast<Place>(reader.u8());
  const uint8_t zero = reader.u8();
  const UntrustedBytes protector = reader.bytes(reader.u16());
  const uint32_t count = reader.u32();
  if (reader.failed() || protector.size() > kMaxProtectorHeader) return malformed(name, "its fields don't fit");
  if (zero != 0 || place != Place::kFile) return from_newer(name, "uses a part of the format");
  out.protector_header.resize(protector.size());
  protector.copy_to(out.protector_header);
  for (uint32_t i = 0; i < count; ++i) {
    WVDS_ASSIGN(blob, read_blob(name, reader));
    if (!out.blobs.empty() && blob.name <= out.blobs.back().name) return malformed(name, "its parts are out of order");
    out.blobs.push_back(std::move(blob));
  }
  WVDS_ASSIGN(extensions, read_extensions(name, reader));
  out.extensions = std::move(extensions);
  if (!reader.finish()) return malformed(name, "longer than its fields say");
  return out;
}

Result<std::vector<std::byte>> ArchiveFields::encode() const {
  uint64_t size = kFixedSize + protector_header.size() + encoded_size(extensions);
  for (const ArchivedBlob& blob : blobs) size += 1 + blob.name.size() + 4 + blob.content.size();
  if (size > kMaxArchiveSize) return fail(Status::kStorageError, "the store is too large for an archive");
  std::vector<std::byte> out(size);
  Writer writer(out);
  writer.u8(static_cast<uint8_t>(Place::kFile));
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(protector_header.size()));
  writer.bytes(protector_header);
  writer.u32(static_cast<uint32_t>(blobs.size()));
  for (const ArchivedBlob& blob : blobs) {
    writer.u8(static_cast<uint8_t>(blob.name.size()));
    writer.text(blob.name);
    writer.u32(static_cast<uint32_t>(blob.content.size()));
    writer.bytes(blob.content);
  }
  write_extensions(writer, extensions);
  WVDS_TRY(writer.finish());
  return out;
}

}  // namespace wvds::keystore
