#include "protocol/mldsa_messages.h"

#include <limits>

#include "protocol/fields.h"

namespace wvds::protocol {
namespace {

constexpr uint8_t kSignFlags = kMlDsaDeterministic | kMlDsaExternalMu;
constexpr uint8_t kVerifyFlags = kMlDsaExternalMu;

// FIPS 204, section 6.2: a mu made outside already holds the context string, so both at once is a mistake.
Result<> require_mu_rules(uint8_t flags, size_t context_length, size_t message_length) {
  if ((flags & kMlDsaExternalMu) == 0) return {};
  WVDS_TRY(require(context_length == 0, "external mu with a context string"));
  return require(message_length == kMuSize, "external mu that is not 64 bytes");
}

}  // namespace

Result<MlDsaSignRequest> MlDsaSignRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlDsaSignRequest request;
  request.key_id = reader.u32();
  request.flags = reader.u8();
  const size_t context_length = reader.u8();
  const uint16_t zero = reader.u16();
  request.context = reader.bytes(context_length);
  request.message = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_zero(zero));
  WVDS_TRY(require((request.flags & ~kSignFlags) == 0, "unknown flags"));
  WVDS_TRY(require_mu_rules(request.flags, request.context.size(), request.message.size()));
  return request;
}

Result<size_t> encode_mldsa_sign_head(uint32_t key_id, uint8_t flags, Bytes context, MutableBytes out) {
  WVDS_TRY(require_argument(context.size() <= kMaxContextSize, "context is longer than 255 bytes"));
  Writer writer(out);
  writer.u32(key_id);
  writer.u8(flags);
  writer.u8(static_cast<uint8_t>(context.size()));
  writer.u16(0);
  writer.bytes(context);
  return writer.finish();
}

Result<MlDsaVerifyRequest> MlDsaVerifyRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MlDsaVerifyRequest request;
  request.key_id = reader.u32();
  request.algorithm = static_cast<Algorithm>(reader.u8());
  request.flags = reader.u8();
  const size_t context_length = reader.u8();
  const uint8_t zero = reader.u8();
  const size_t public_key_length = reader.u16();
  const size_t signature_length = reader.u16();
  request.public_key = reader.bytes(public_key_length);
  request.signature = reader.bytes(signature_length);
  request.context = reader.bytes(context_length);
  request.message = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_zero(zero));
  WVDS_TRY(require((request.flags & ~kVerifyFlags) == 0, "unknown flags"));
  WVDS_TRY(require_key_choice(request.key_id, request.algorithm, is_ml_dsa(request.algorithm), public_key_length));
  WVDS_TRY(require_mu_rules(request.flags, request.context.size(), request.message.size()));
  return request;
}

Result<size_t> encode_mldsa_verify_head(const MlDsaVerifyHead& head, MutableBytes out) {
  constexpr size_t kMaxU16 = std::numeric_limits<uint16_t>::max();
  WVDS_TRY(require_argument(head.context.size() <= kMaxContextSize, "context is longer than 255 bytes"));
  WVDS_TRY(require_argument(head.public_key.size() <= kMaxU16, "public key is longer than 65,535 bytes"));
  WVDS_TRY(require_argument(head.signature.size() <= kMaxU16, "signature is longer than 65,535 bytes"));
  Writer writer(out);
  writer.u32(head.key_id);
  writer.u8(static_cast<uint8_t>(head.algorithm));
  writer.u8(head.flags);
  writer.u8(static_cast<uint8_t>(head.context.size()));
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(head.public_key.size()));
  writer.u16(static_cast<uint16_t>(head.signature.size()));
  writer.bytes(head.public_key);
  writer.bytes(head.signature);
  writer.bytes(head.context);
  return writer.finish();
}

}  // namespace wvds::protocol
