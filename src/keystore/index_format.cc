#include <map>

#include "keystore/format.h"

// The index's clear part: docs/storage-format.md, "Index".
namespace wvds::keystore {
namespace {

constexpr size_t kFixedSize = 28;
constexpr size_t kKeySize = 16;
constexpr size_t kVersionSize = 12;
constexpr uint8_t kFlagLimits = 0x01;   // they follow the key's fixed fields
constexpr uint8_t kFlagRetired = 0x02;  // only with limits

// Owners are written once, in the order of their first key, and named by their place.
using OwnerPlaces = std::map<std::string, uint16_t, std::less<>>;

std::vector<std::string> owners_of(const std::vector<IndexedKey>& keys, OwnerPlaces& places) {
  std::vector<std::string> owners;
  for (const IndexedKey& key : keys) {
    if (places.emplace(key.owner, static_cast<uint16_t>(owners.size())).second) owners.push_back(key.owner);
  }
  return owners;
}

size_t encoded_size_of(const IndexFields& index, const std::vector<std::string>& owners) {
  size_t size = kFixedSize + encoded_size(index.extensions);
  for (const std::string& owner : owners) size += 1 + owner.size();
  for (const IndexedKey& key : index.keys)
    size += kKeySize + (key.limits.any() ? kLimitsSize : 0) + kVersionSize * key.versions.size();
  return size;
}

void write_key(Writer& writer, const IndexedKey& key, uint16_t owner) {
  writer.u32(key.id);
  writer.u32(key.generation);
  writer.u32(key.record_bytes);
  writer.u16(owner);
  writer.u8(static_cast<uint8_t>(key.versions.size()));
  writer.u8(key.limits.any() ? kFlagLimits | (key.retired ? kFlagRetired : 0) : 0);
  if (key.limits.any()) write_limits(writer, key.limits);
  for (const IndexedVersion& version : key.versions) {
    writer.u32(version.number);
    writer.u64(version.uses);
  }
}

Result<std::vector<std::string>> read_owners(std::string_view name, Reader& reader, size_t count) {
  std::vector<std::string> owners;
  for (size_t i = 0; i < count && !reader.failed(); ++i) {
    owners.push_back(reader.text(reader.u8()));
    if (!is_owner_name(owners.back())) return malformed(name, "lists an owner without a proper name");
  }
  return owners;
}

Result<std::vector<IndexedVersion>> read_versions(std::string_view name, Reader& reader, size_t count) {
  std::vector<IndexedVersion> versions;
  for (size_t i = 0; i < count && !reader.failed(); ++i) {
    IndexedVersion version{.number = reader.u32()};
    version.uses = reader.u64();
    if (version.number == 0 || (!versions.empty() && version.number >= versions.back().number)) {
      return malformed(name, "lists versions out of order");
    }
    versions.push_back(version);
  }
  return versions;
}

Result<> read_key_limits(std::string_view name, Reader& reader, uint8_t flags, IndexedKey& key) {
  if ((flags & ~(kFlagLimits | kFlagRetired)) != 0) return from_newer(name, "uses a part of the format");
  if (flags == 0) return {};
  key.retired = (flags & kFlagRetired) != 0;
  if ((flags & kFlagLimits) != 0) key.limits = read_limits(reader);
  if (!key.limits.any() || !limits_are_sound(key.limits)) return malformed(name, "lists limits that make no sense");
  return {};
}

Result<IndexedKey> read_key(std::string_view name, Reader& reader, const std::vector<std::string>& owners) {
  IndexedKey key{.id = reader.u32()};
  key.generation = reader.u32();
  key.record_bytes = reader.u32();
  const uint16_t owner = reader.u16();
  const uint8_t versions = reader.u8();
  const uint8_t flags = reader.u8();
  if (owner >= owners.size() || versions > kMaxVersions) return malformed(name, "lists a key that makes no sense");
  WVDS_TRY(read_key_limits(name, reader, flags, key));
  key.owner = owners[owner];
  WVDS_ASSIGN(listed, read_versions(name, reader, versions));
  key.versions = std::move(listed);
  return key;
}

}  // namespace

std::vector<std::byte> IndexFields::encode() const {
  OwnerPlaces places;
  const std::vector<std::string> owners = owners_of(keys, places);
  std::vector<std::byte> out(encoded_size_of(*this, owners));
  Writer writer(out);
  writer.u64(generation);
  writer.u32(next_stored_id);
  writer.u32(next_memory_id);
  writer.u32(listed_below);
  writer.u16(static_cast<uint16_t>(owners.size()));
  writer.u16(0);
  writer.u32(static_cast<uint32_t>(keys.size()));
  for (const std::string& owner : owners) {
    writer.u8(static_cast<uint8_t>(owner.size()));
    writer.text(owner);
  }
  for (const IndexedKey& key : keys) write_key(writer, key, places.at(key.owner));
  write_extensions(writer, extensions);
  return out;
}

Result<IndexFields> IndexFields::decode(std::string_view name, Bytes clear) {
  Reader reader(clear);
  IndexFields out;
  out.generation = reader.u64();
  out.next_stored_id = reader.u32();
  out.next_memory_id = reader.u32();
  out.listed_below = reader.u32();
  const uint16_t owner_count = reader.u16();
  const uint16_t zero = reader.u16();
  const uint32_t key_count = reader.u32();
  if (zero != 0) return from_newer(name, "uses a part of the format");
  WVDS_ASSIGN(owners, read_owners(name, reader, owner_count));
  for (uint32_t i = 0; i < key_count && !reader.failed(); ++i) {
    WVDS_ASSIGN(key, read_key(name, reader, owners));
    if (key.id == 0 || (!out.keys.empty() && key.id <= out.keys.back().id))
      return malformed(name, "lists keys out of order");
    out.keys.push_back(std::move(key));
  }
  if (reader.failed()) return malformed(name, "shorter than its fields say");
  OwnerPlaces places;
  if (owners_of(out.keys, places) != owners) return malformed(name, "lists its owners out of order");
  WVDS_ASSIGN(extensions, read_extensions(name, reader, {kRollbackTag}));
  out.extensions = std::move(extensions);
  if (!reader.finish()) return malformed(name, "longer than its fields say");
  return out;
}

}  // namespace wvds::keystore
