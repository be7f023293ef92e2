#include "protocol/ecdsa_messages.h"

#include <limits>

#include "protocol/fields.h"

namespace wvds::protocol {
namespace {

Result<> require_hash_rules(Hash hash, uint8_t flags, size_t message_length) {
  WVDS_TRY(require(hash_size(hash) != 0, "unknown hash"));
  WVDS_TRY(require((flags & ~kEcdsaDigest) == 0, "unknown flags"));
  const bool is_digest = (flags & kEcdsaDigest) != 0;
  return require(!is_digest || message_length == hash_size(hash), "digest of another length than the hash's");
}

}  // namespace

Result<EcdsaSignRequest> EcdsaSignRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EcdsaSignRequest request;
  request.key_id = reader.u32();
  request.hash = static_cast<Hash>(reader.u8());
  request.flags = reader.u8();
  request.message = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_hash_rules(request.hash, request.flags, request.message.size()));
  return request;
}

Result<size_t> encode_ecdsa_sign_head(uint32_t key_id, Hash hash, uint8_t flags, MutableBytes out) {
  Writer writer(out);
  writer.u32(key_id);
  writer.u8(static_cast<uint8_t>(hash));
  writer.u8(flags);
  return writer.finish();
}

Result<EcdsaVerifyRequest> EcdsaVerifyRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EcdsaVerifyRequest request;
  request.key_id = reader.u32();
  request.algorithm = static_cast<Algorithm>(reader.u8());
  request.hash = static_cast<Hash>(reader.u8());
  request.flags = reader.u8();
  const uint8_t zero = reader.u8();
  const size_t public_key_length = reader.u16();
  const size_t signature_length = reader.u16();
  request.public_key = reader.bytes(public_key_length);
  request.signature = reader.bytes(signature_length);
  request.message = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_zero(zero));
  WVDS_TRY(require_hash_rules(request.hash, request.flags, request.message.size()));
  WVDS_TRY(require_key_choice(request.key_id, request.algorithm, is_ecdsa(request.algorithm), public_key_length));
  return request;
}

Result<size_t> encode_ecdsa_verify_head(const EcdsaVerifyHead& head, MutableBytes out) {
  constexpr size_t kMaxU16 = std::numeric_limits<uint16_t>::max();
  WVDS_TRY(require_argument(head.public_key.size() <= kMaxU16, "public key is longer than 65,535 bytes"));
  WVDS_TRY(require_argument(head.signature.size() <= kMaxU16, "signature is longer than 65,535 bytes"));
  Writer writer(out);
  writer.u32(head.key_id);
  writer.u8(static_cast<uint8_t>(head.algorithm));
  writer.u8(static_cast<uint8_t>(head.hash));
  writer.u8(head.flags);
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(head.public_key.size()));
  writer.u16(static_cast<uint16_t>(head.signature.size()));
  writer.bytes(head.public_key);
  writer.bytes(head.signature);
  return writer.finish();
}

}  // namespace wvds::protocol
