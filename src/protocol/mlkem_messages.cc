#include "protocol/mlkem_messages.h"

#include "protocol/fields.h"

namespace wvds::protocol {
namespace {

constexpr uint8_t kToKeyFlags = kDuplex | kReplayWindowOff;

Result<> require_to_key_rules(Lifetime lifetime, uint8_t flags, size_t context_length) {
  WVDS_TRY(require(is_lifetime(lifetime), "unknown lifetime"));
  WVDS_TRY(require((flags & ~kToKeyFlags) == 0, "unknown flags"));
  return require(context_length <= kMaxKdfContextSize, "context is longer than 1,024 bytes");
}

Result<> require_encodable(const MlKemToKeyOptions& options) {
  return require_argument(options.context.size() <= kMaxKdfContextSize, "context is longer than 1,024 bytes");
}

}  // namespace

Result<MlKemKeygenRequest> MlKemKeygenRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlKemKeygenRequest request;
  request.algorithm = static_cast<Algorithm>(reader.u8());
  request.lifetime = static_cast<Lifetime>(reader.u8());
  request.usages = reader.u16();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(is_ml_kem(request.algorithm) && algorithm_info(request.algorithm) != nullptr,
                   "algorithm is not one of this operation"));
  WVDS_TRY(require(is_lifetime(request.lifetime), "unknown lifetime"));
  return request;
}

Result<size_t> MlKemKeygenRequest::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u8(static_cast<uint8_t>(algorithm));
  writer.u8(static_cast<uint8_t>(lifetime));
  writer.u16(usages);
  return writer.finish();
}

Result<KeyCreatedAnswer> KeyCreatedAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  KeyCreatedAnswer answer;
  answer.key_id = reader.u32();
  answer.public_key = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(answer.key_id != 0, "key id 0 was never created"));
  return answer;
}

Result<size_t> encode_key_created_answer(uint32_t key_id, Bytes public_key, MutableBytes out) {
  Writer writer(out);
  writer.u32(key_id);
  writer.bytes(public_key);
  return writer.finish();
}

Result<MlKemEncapsRequest> MlKemEncapsRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlKemEncapsRequest request;
  request.key_id = reader.u32();
  request.algorithm = static_cast<Algorithm>(reader.u8());
  const uint8_t zero_low = reader.u8();
  const uint16_t zero_high = reader.u16();
  request.encapsulation_key = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_zero(zero_low | zero_high));
  WVDS_TRY(require_key_choice(request.key_id, request.algorithm, is_ml_kem(request.algorithm),
                              request.encapsulation_key.size()));
  return request;
}

Result<size_t> encode_mlkem_encaps_request(uint32_t key_id, Algorithm algorithm, Bytes encapsulation_key,
                                           MutableBytes out) {
  Writer writer(out);
  writer.u32(key_id);
  writer.u8(static_cast<uint8_t>(algorithm));
  writer.zeros(3);
  writer.bytes(encapsulation_key);
  return writer.finish();
}

Result<MlKemEncapsAnswer> MlKemEncapsAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlKemEncapsAnswer answer;
  answer.shared_secret = reader.bytes(kSharedSecretSize);
  answer.ciphertext = reader.rest();
  WVDS_TRY(reader.finish());
  return answer;
}

Result<MlKemDecapsRequest> MlKemDecapsRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlKemDecapsRequest request;
  request.key_id = reader.u32();
  request.ciphertext = reader.rest();
  WVDS_TRY(reader.finish());
  return request;
}

Result<size_t> encode_mlkem_decaps_request(uint32_t key_id, Bytes ciphertext, MutableBytes out) {
  Writer writer(out);
  writer.u32(key_id);
  writer.bytes(ciphertext);
  return writer.finish();
}

Result<MlKemEncapsToKeyRequest> MlKemEncapsToKeyRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlKemEncapsToKeyRequest request;
  request.key_id = reader.u32();
  request.algorithm = static_cast<Algorithm>(reader.u8());
  request.lifetime = static_cast<Lifetime>(reader.u8());
  request.flags = reader.u8();
  const uint8_t zero = reader.u8();
  const size_t context_length = reader.u16();
  request.context = reader.bytes(context_length);
  request.encapsulation_key = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_zero(zero));
  WVDS_TRY(require_to_key_rules(request.lifetime, request.flags, context_length));
  WVDS_TRY(require_key_choice(request.key_id, request.algorithm, is_ml_kem(request.algorithm),
                              request.encapsulation_key.size()));
  return request;
}

Result<size_t> encode_mlkem_encaps_to_key_request(uint32_t key_id, Algorithm algorithm, Bytes encapsulation_key,
                                                  const MlKemToKeyOptions& options, MutableBytes out) {
  WVDS_TRY(require_encodable(options));
  Writer writer(out);
  writer.u32(key_id);
  writer.u8(static_cast<uint8_t>(algorithm));
  writer.u8(static_cast<uint8_t>(options.lifetime));
  writer.u8(options.flags);
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(options.context.size()));
  writer.bytes(options.context);
  writer.bytes(encapsulation_key);
  return writer.finish();
}

Result<MlKemDecapsToKeyRequest> MlKemDecapsToKeyRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlKemDecapsToKeyRequest request;
  request.key_id = reader.u32();
  request.lifetime = static_cast<Lifetime>(reader.u8());
  request.flags = reader.u8();
  const size_t context_length = reader.u16();
  request.context = reader.bytes(context_length);
  request.ciphertext = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_to_key_rules(request.lifetime, request.flags, context_length));
  return request;
}

Result<size_t> encode_mlkem_decaps_to_key_request(uint32_t key_id, Bytes ciphertext, const MlKemToKeyOptions& options,
                                                  MutableBytes out) {
  WVDS_TRY(require_encodable(options));
  Writer writer(out);
  writer.u32(key_id);
  writer.u8(static_cast<uint8_t>(options.lifetime));
  writer.u8(options.flags);
  writer.u16(static_cast<uint16_t>(options.context.size()));
  writer.bytes(options.context);
  writer.bytes(ciphertext);
  return writer.finish();
}

Result<DerivedKeysAnswer> DerivedKeysAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  DerivedKeysAnswer answer;
  answer.encrypt_key_id = reader.u32();
  answer.decrypt_key_id = reader.u32();
  answer.ciphertext = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(answer.encrypt_key_id != 0 || answer.decrypt_key_id != 0, "no key was derived"));
  return answer;
}

Result<size_t> encode_derived_keys_answer(uint32_t encrypt_key_id, uint32_t decrypt_key_id, Bytes ciphertext,
                                          MutableBytes out) {
  Writer writer(out);
  writer.u32(encrypt_key_id);
  writer.u32(decrypt_key_id);
  writer.bytes(ciphertext);
  return writer.finish();
}

}  // namespace wvds::protocol
