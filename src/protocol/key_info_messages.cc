#include "protocol/fields.h"
#include "protocol/key_messages.h"

// The answers of KEY_LIST, KEY_INFO and KEY_ROTATE. A client reads them, so the decoders distrust the service: texts
// are text (a terminal will show them), ids grow (a list comes to an end) and counts are bounded. Values that later
// versions may add to (algorithm, usages, flags, place) are passed on as they came.
namespace wvds::protocol {
namespace {

constexpr size_t kVersionInfoSize = 32;

Result<> require_label(const std::string& label) {
  WVDS_TRY(require(label.size() <= kMaxLabelSize, "label is longer than 64 bytes"));
  return require(is_text(label), "label is not UTF-8 text without control characters");
}

Result<KeyListEntry> read_entry(Reader& reader) {
  KeyListEntry entry;
  entry.key_id = reader.u32();
  entry.algorithm = static_cast<Algorithm>(reader.u8());
  entry.lifetime = static_cast<Lifetime>(reader.u8());
  entry.usages = reader.u16();
  entry.versions = reader.u16();
  const size_t label_length = reader.u8();
  const uint8_t zero = reader.u8();
  entry.label = reader.text(label_length);
  WVDS_TRY(require(!reader.failed(), "list shorter than its count says"));
  WVDS_TRY(require_zero(zero));
  WVDS_TRY(require(is_key_lifetime(entry.lifetime), "unknown lifetime"));
  WVDS_TRY(require_label(entry.label));
  return entry;
}

Result<> write_entry(Writer& writer, const KeyListEntry& entry) {
  WVDS_TRY(require_argument(entry.label.size() <= kMaxLabelSize, "label is longer than 64 bytes"));
  writer.u32(entry.key_id);
  writer.u8(static_cast<uint8_t>(entry.algorithm));
  writer.u8(static_cast<uint8_t>(entry.lifetime));
  writer.u16(entry.usages);
  writer.u16(entry.versions);
  writer.u8(static_cast<uint8_t>(entry.label.size()));
  writer.u8(0);
  writer.text(entry.label);
  return {};
}

Result<KeyVersionInfo> read_version(Reader& reader) {
  KeyVersionInfo info;
  info.number = reader.u32();
  info.state = static_cast<KeyVersionState>(reader.u8());
  const uint8_t zero_low = reader.u8();
  const uint16_t zero_high = reader.u16();
  info.uses = reader.u64();
  info.use_limit = reader.u64();
  info.window_used = reader.u32();
  info.window_capacity = reader.u32();
  WVDS_TRY(require_zero(zero_low | zero_high));
  WVDS_TRY(require(info.state == KeyVersionState::kActive || info.state == KeyVersionState::kRetired,
                   "unknown state of a key version"));
  return info;
}

void write_version(Writer& writer, const KeyVersionInfo& info) {
  writer.u32(info.number);
  writer.u8(static_cast<uint8_t>(info.state));
  writer.zeros(3);
  writer.u64(info.uses);
  writer.u64(info.use_limit);
  writer.u32(info.window_used);
  writer.u32(info.window_capacity);
}

Result<> read_versions(Reader& reader, size_t count, std::vector<KeyVersionInfo>& versions) {
  WVDS_TRY(require(count <= kMaxKeyVersions, "more versions than a key can have"));
  WVDS_TRY(require(reader.left() == count * kVersionInfoSize, "versions are not as many as the count says"));
  versions.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    WVDS_ASSIGN(version, read_version(reader));
    versions.push_back(version);
  }
  return {};
}

}  // namespace

Result<KeyListAnswer> KeyListAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  KeyListAnswer answer;
  const size_t count = reader.u16();
  const uint8_t more = reader.u8();
  WVDS_TRY(require_zero(reader.u8()));
  WVDS_TRY(require(more <= 1 && count <= kMaxKeyListEntries && (more == 0 || count != 0), "wrong head of a list"));
  answer.more = more == 1;
  answer.entries.reserve(count);
  for (uint32_t last_id = 0; answer.entries.size() < count; last_id = answer.entries.back().key_id) {
    WVDS_ASSIGN(entry, read_entry(reader));
    WVDS_TRY(require(entry.key_id > last_id, "ids of a list do not grow"));
    answer.entries.push_back(std::move(entry));
  }
  WVDS_TRY(reader.finish());
  return answer;
}

Result<size_t> KeyListAnswer::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(entries.size() <= kMaxKeyListEntries, "list is longer than 256 entries"));
  Writer writer(out);
  writer.u16(static_cast<uint16_t>(entries.size()));
  writer.u8(more ? 1 : 0);
  writer.u8(0);
  for (const KeyListEntry& entry : entries) WVDS_TRY(write_entry(writer, entry));
  return writer.finish();
}

Result<KeyInfoAnswer> KeyInfoAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  KeyInfoAnswer answer;
  answer.key_id = reader.u32();
  answer.algorithm = static_cast<Algorithm>(reader.u8());
  answer.lifetime = static_cast<Lifetime>(reader.u8());
  answer.usages = reader.u16();
  answer.flags = reader.u8();
  answer.place = static_cast<KeyPlace>(reader.u8());
  const size_t owner_length = reader.u8();
  const size_t label_length = reader.u8();
  const size_t version_count = reader.u16();
  const uint8_t inside_fips = reader.u8();
  const size_t provider_length = reader.u8();
  answer.limits = read_limits(reader);
  answer.owner = reader.text(owner_length);
  answer.label = reader.text(label_length);
  WVDS_ASSIGN(provider, read_provider_name(reader, provider_length));
  answer.provider = std::move(provider);
  WVDS_TRY(require(inside_fips <= 1, "FIPS is neither 0 nor 1"));
  answer.inside_fips = inside_fips == 1;
  WVDS_TRY(require(is_key_lifetime(answer.lifetime), "unknown lifetime"));
  WVDS_TRY(require_sound(answer.limits));
  WVDS_TRY(
      require(answer.owner.size() <= kMaxPrincipalSize && is_text(answer.owner), "owner is not a principal's name"));
  WVDS_TRY(require_label(answer.label));
  WVDS_TRY(read_versions(reader, version_count, answer.versions));
  WVDS_TRY(reader.finish());
  return answer;
}

Result<size_t> KeyInfoAnswer::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(owner.size() <= kMaxPrincipalSize, "owner is longer than 32 bytes"));
  WVDS_TRY(require_argument(label.size() <= kMaxLabelSize, "label is longer than 64 bytes"));
  WVDS_TRY(require_argument(versions.size() <= kMaxKeyVersions, "more versions than a key can have"));
  const std::string shown_provider = provider_name(provider);
  Writer writer(out);
  writer.u32(key_id);
  writer.u8(static_cast<uint8_t>(algorithm));
  writer.u8(static_cast<uint8_t>(lifetime));
  writer.u16(usages);
  writer.u8(flags);
  writer.u8(static_cast<uint8_t>(place));
  writer.u8(static_cast<uint8_t>(owner.size()));
  writer.u8(static_cast<uint8_t>(label.size()));
  writer.u16(static_cast<uint16_t>(versions.size()));
  writer.u8(inside_fips ? 1 : 0);
  writer.u8(static_cast<uint8_t>(shown_provider.size()));
  write_limits(writer, limits);
  writer.text(owner);
  writer.text(label);
  writer.text(shown_provider);
  for (const KeyVersionInfo& version : versions) write_version(writer, version);
  return writer.finish();
}

Result<KeyRotateAnswer> KeyRotateAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  KeyRotateAnswer answer;
  answer.version = reader.u32();
  answer.public_key = reader.rest();
  WVDS_TRY(reader.finish());
  return answer;
}

Result<size_t> encode_key_rotate_answer(uint32_t version, Bytes public_key, MutableBytes out) {
  Writer writer(out);
  writer.u32(version);
  writer.bytes(public_key);
  return writer.finish();
}

}  // namespace wvds::protocol
