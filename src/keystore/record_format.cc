#include "keystore/format.h"

// A key record's clear part: docs/storage-format.md, "Key record".
namespace wvds::keystore {
namespace {

constexpr size_t kFixedSize = 16;
constexpr size_t kVersionSize = 20;
constexpr uint8_t kFlagNoReplayWindow = 0x01;
constexpr uint8_t kFlagInsideToken = 0x02;

void write_version(Writer& writer, const RecordVersion& version, Algorithm algorithm) {
  writer.u32(version.number);
  writer.u8(static_cast<uint8_t>(version.state));
  writer.u8(static_cast<uint8_t>(version.form));
  writer.u16(static_cast<uint16_t>(secret_size_of(version, algorithm)));
  writer.u16(static_cast<uint16_t>(version.public_key.size()));
  writer.u16(0);
  writer.u64(version.uses);
  writer.bytes(version.public_key);
}

Result<> check_spec(std::string_view name, const RecordFields& record, uint8_t lifetime, uint8_t flags) {
  if (record.id == 0) return malformed(name, "has no key id");
  if (algorithm_info(record.spec.algorithm) == nullptr) {
    return from_newer(name, "holds a key of an algorithm");
  }
  if (!usages_are_valid(record.spec.algorithm, record.spec.usages))
    return malformed(name, "has usages that don't fit its algorithm");
  if (lifetime != static_cast<uint8_t>(Lifetime::kPersistent) ||
      (flags & ~(kFlagNoReplayWindow | kFlagInsideToken)) != 0) {
    return from_newer(name, "uses a part of the format");
  }
  if (!is_owner_name(record.owner)) return malformed(name, "has no proper owner");
  if (!is_label(record.spec.label)) return malformed(name, "has no proper label");
  return {};
}

Result<> check_version(std::string_view name, const RecordFields& record, const RecordVersion& version,
                       size_t secret_size) {
  const AlgorithmInfo& info = *algorithm_info(record.spec.algorithm);
  const auto form = static_cast<uint8_t>(version.form), state = static_cast<uint8_t>(version.state);
  if (form < static_cast<uint8_t>(SecretForm::kSealed) || form > static_cast<uint8_t>(SecretForm::kInToken)) {
    return from_newer(name, "keeps a secret in a way");
  }
  if (state != static_cast<uint8_t>(VersionState::kActive) && state != static_cast<uint8_t>(VersionState::kRetired)) {
    return from_newer(name, "has a version in a state");
  }
  if (record.spec.inside_token != (version.form == SecretForm::kInToken))
    return malformed(name, "has a version that is not where the key is");
  if (record.spec.inside_token && !is_post_quantum(record.spec.algorithm))
    return malformed(name, "has a version in a token, where keys of its algorithm are not");
  const bool needs_public_key = version.form != SecretForm::kSealed;
  if (secret_size != secret_size_of(version, record.spec.algorithm) || version.public_key.size() != info.public_key ||
      (needs_public_key && info.public_key == 0)) {
    return malformed(name, "has a version whose sizes don't fit its algorithm");
  }
  const bool is_newest = record.versions.empty();
  if (version.number == 0 || (!is_newest && version.number >= record.versions.back().number)) {
    return malformed(name, "has versions out of order");
  }
  if (!is_newest && version.state == VersionState::kActive)
    return malformed(name, "has an active version that is not the newest");
  return {};
}

Result<> read_version(std::string_view name, Reader& reader, RecordFields& record) {
  RecordVersion version{.number = reader.u32()};
  version.state = static_cast<VersionState>(reader.u8());
  version.form = static_cast<SecretForm>(reader.u8());
  const uint16_t secret_size = reader.u16();
  const uint16_t public_size = reader.u16();
  if (reader.u16() != 0) return from_newer(name, "uses a part of the format");
  version.uses = reader.u64();
  const UntrustedBytes public_key = reader.bytes(public_size);
  if (reader.failed()) return malformed(name, "shorter than its fields say");
  version.public_key.resize(public_key.size());
  public_key.copy_to(version.public_key);
  WVDS_TRY(check_version(name, record, version, secret_size));
  record.versions.push_back(std::move(version));
  return {};
}

// extensions_of are those of a record as they are written: its limits are one of them, where it has any. No other tag
// that a record keeps is as high.
Extensions extensions_of(const RecordFields& record) {
  Extensions out = record.extensions;
  if (!record.spec.limits.any()) return out;
  out.push_back({.tag = kLimitsTag, .value = std::vector<std::byte>(kLimitsSize)});
  Writer writer(out.back().value);
  write_limits(writer, record.spec.limits);
  return out;
}

Result<> take_limits(std::string_view name, RecordFields& record) {
  if (record.extensions.empty() || record.extensions.back().tag != kLimitsTag) return {};
  Reader reader(Bytes(record.extensions.back().value));
  const KeyLimits limits = read_limits(reader);
  if (!reader.finish() || !limits.any() || !limits_are_sound(limits) ||
      (limits.max_uses != 0 && !uses_secret(record.spec.usages))) {
    return malformed(name, "has limits that make no sense");
  }
  record.spec.limits = limits;
  record.extensions.pop_back();
  return {};
}

}  // namespace

size_t secret_size_of(const RecordVersion& version, Algorithm algorithm) {
  if (version.form == SecretForm::kInToken) return kTokenKeyIdSize;
  return version.form == SecretForm::kSealed ? algorithm_info(algorithm)->secret : 0;
}

size_t RecordFields::secret_size() const {
  size_t size = 0;
  for (const RecordVersion& version : versions) size += secret_size_of(version, spec.algorithm);
  return size;
}

std::vector<std::byte> RecordFields::encode() const {
  const Extensions written = extensions_of(*this);
  size_t size = kFixedSize + owner.size() + spec.label.size() + encoded_size(written);
  for (const RecordVersion& version : versions) size += kVersionSize + version.public_key.size();
  std::vector<std::byte> out(size);
  Writer writer(out);
  writer.u32(id);
  writer.u32(generation);
  writer.u8(static_cast<uint8_t>(spec.algorithm));
  writer.u8(static_cast<uint8_t>(Lifetime::kPersistent));
  writer.u16(spec.usages);
  writer.u8(static_cast<uint8_t>((spec.replay_window ? 0 : kFlagNoReplayWindow) |
                                 (spec.inside_token ? kFlagInsideToken : 0)));
  writer.u8(static_cast<uint8_t>(owner.size()));
  writer.u8(static_cast<uint8_t>(spec.label.size()));
  writer.u8(static_cast<uint8_t>(versions.size()));
  writer.text(owner);
  writer.text(spec.label);
  for (const RecordVersion& version : versions) write_version(writer, version, spec.algorithm);
  write_extensions(writer, written);
  return out;
}

Result<RecordFields> RecordFields::decode(std::string_view name, Bytes clear) {
  Reader reader(clear);
  RecordFields out;
  out.id = reader.u32();
  out.generation = reader.u32();
  out.spec.algorithm = static_cast<Algorithm>(reader.u8());
  const uint8_t lifetime = reader.u8();
  out.spec.lifetime = Lifetime::kPersistent;
  out.spec.usages = reader.u16();
  const uint8_t flags = reader.u8();
  out.spec.replay_window = (flags & kFlagNoReplayWindow) == 0;
  out.spec.inside_token = (flags & kFlagInsideToken) != 0;
  const uint8_t owner_size = reader.u8();
  const uint8_t label_size = reader.u8();
  const uint8_t version_count = reader.u8();
  out.owner = reader.text(owner_size);
  out.spec.label = reader.text(label_size);
  if (reader.failed()) return malformed(name, "shorter than its fields say");
  WVDS_TRY(check_spec(name, out, lifetime, flags));
  if (version_count == 0 || version_count > kMaxVersions) return malformed(name, "has no proper count of versions");
  for (uint8_t i = 0; i < version_count; ++i) WVDS_TRY(read_version(name, reader, out));
  WVDS_ASSIGN(extensions, read_extensions(name, reader, {kLimitsTag}));
  out.extensions = std::move(extensions);
  WVDS_TRY(take_limits(name, out));
  if (!reader.finish()) return malformed(name, "longer than its fields say");
  return out;
}

}  // namespace wvds::keystore
