#include "protocol/key_messages.h"

#include "protocol/fields.h"

// The requests of key management; key_info_messages.cc has the answers of KEY_LIST, KEY_INFO and KEY_ROTATE.
namespace wvds::protocol {
namespace {

constexpr uint8_t kNoFormat = 0;

// Head is the part that KEY_GENERATE and KEY_IMPORT share, with the fields as they came.
struct Head {
  KeyTemplate key;
  uint8_t format = kNoFormat;
  uint8_t zero = 0;
};

Head read_head(Reader& reader) {
  Head head;
  head.key.algorithm = static_cast<Algorithm>(reader.u8());
  head.key.lifetime = static_cast<Lifetime>(reader.u8());
  head.key.usages = reader.u16();
  head.key.flags = reader.u8();
  const size_t label_length = reader.u8();
  head.format = reader.u8();
  head.zero = reader.u8();
  head.key.limits = read_limits(reader);
  head.key.label = reader.text(label_length);
  return head;
}

Result<> require_head_rules(const Head& head) {
  WVDS_TRY(require_zero(head.zero));
  WVDS_TRY(require(algorithm_info(head.key.algorithm) != nullptr, "unknown algorithm"));
  WVDS_TRY(require(is_lifetime(head.key.lifetime), "unknown lifetime"));
  WVDS_TRY(require((head.key.flags & ~kKeyFlags) == 0, "unknown flags"));
  WVDS_TRY(require_sound(head.key.limits));
  WVDS_TRY(require(head.key.label.size() <= kMaxLabelSize, "label is longer than 64 bytes"));
  return require(is_text(head.key.label), "label is not UTF-8 text without control characters");
}

Result<> write_head(Writer& writer, const KeyTemplate& key, uint8_t format) {
  WVDS_TRY(require_argument(key.label.size() <= kMaxLabelSize, "label is longer than 64 bytes"));
  writer.u8(static_cast<uint8_t>(key.algorithm));
  writer.u8(static_cast<uint8_t>(key.lifetime));
  writer.u16(key.usages);
  writer.u8(key.flags);
  writer.u8(static_cast<uint8_t>(key.label.size()));
  writer.u8(format);
  writer.u8(0);
  write_limits(writer, key.limits);
  writer.text(key.label);
  return {};
}

Result<> require_material_rules(Algorithm algorithm, KeyFormat format, size_t length) {
  const bool has_secrets_length = has_length(algorithm, &AlgorithmInfo::secret, length);
  switch (format) {
    case KeyFormat::kRaw:
      return require(!is_post_quantum(algorithm) && has_secrets_length,
                     "raw format is for AES keys of 32 bytes and ECDSA scalars of the curve's length");
    case KeyFormat::kSeed:
      return require(is_post_quantum(algorithm) && has_secrets_length, "seed has the wrong length");
    case KeyFormat::kPkcs8:
      return require(!is_aes(algorithm) && length != 0, "PKCS#8 is for key pairs and is never empty");
    case KeyFormat::kPublic:
      return require(!is_aes(algorithm) && has_length(algorithm, &AlgorithmInfo::public_key, length),
                     "public key has the wrong length");
  }
  return fail(Status::kInvalidPayload, "unknown key format");
}

}  // namespace

Result<KeyGenerateRequest> KeyGenerateRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  Head head = read_head(reader);
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_head_rules(head));
  WVDS_TRY(require(head.format == kNoFormat, "KEY_GENERATE with a format"));
  return KeyGenerateRequest{std::move(head.key)};
}

Result<size_t> KeyGenerateRequest::encode(MutableBytes out) const {
  Writer writer(out);
  WVDS_TRY(write_head(writer, key, kNoFormat));
  return writer.finish();
}

Result<KeyImportRequest> KeyImportRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  Head head = read_head(reader);
  const UntrustedBytes material = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_head_rules(head));
  const auto format = static_cast<KeyFormat>(head.format);
  WVDS_TRY(require_material_rules(head.key.algorithm, format, material.size()));
  return KeyImportRequest{std::move(head.key), format, material};
}

Result<size_t> encode_key_import_request(const KeyTemplate& key, KeyFormat format, Bytes material, MutableBytes out) {
  Writer writer(out);
  WVDS_TRY(write_head(writer, key, static_cast<uint8_t>(format)));
  writer.bytes(material);
  return writer.finish();
}

Result<KeyVersionRequest> KeyVersionRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  KeyVersionRequest request;
  request.key_id = reader.u32();
  request.version = reader.u32();
  WVDS_TRY(reader.finish());
  return request;
}

Result<size_t> KeyVersionRequest::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u32(key_id);
  writer.u32(version);
  return writer.finish();
}

Result<KeyIdRequest> KeyIdRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  KeyIdRequest request;
  request.key_id = reader.u32();
  WVDS_TRY(reader.finish());
  return request;
}

Result<size_t> KeyIdRequest::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u32(key_id);
  return writer.finish();
}

}  // namespace wvds::protocol
