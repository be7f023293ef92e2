#include "protocol/aes_messages.h"

#include <limits>

#include "protocol/fields.h"

namespace wvds::protocol {

Result<AesEncryptRequest> AesEncryptRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  AesEncryptRequest request;
  request.key_id = reader.u32();
  const size_t aad_length = reader.u16();
  request.aad = reader.bytes(aad_length);
  request.plaintext = reader.rest();
  WVDS_TRY(reader.finish());
  return request;
}

Result<size_t> encode_aes_request_head(uint32_t key_id, size_t aad_length, MutableBytes out) {
  WVDS_TRY(require_argument(aad_length <= std::numeric_limits<uint16_t>::max(), "AAD is longer than 65,535 bytes"));
  Writer writer(out);
  writer.u32(key_id);
  writer.u16(static_cast<uint16_t>(aad_length));
  return writer.finish();
}

Result<AesEncryptAnswer> AesEncryptAnswer::decode(UntrustedBytes payload) {
  WVDS_TRY(require(payload.size() >= kNonceSize + kTagSize, "shorter than nonce and tag"));
  Reader reader(payload);
  AesEncryptAnswer answer;
  answer.nonce = reader.bytes(kNonceSize);
  answer.ciphertext = reader.bytes(reader.left() - kTagSize);
  answer.tag = reader.bytes(kTagSize);
  WVDS_TRY(reader.finish());
  return answer;
}

Result<AesDecryptRequest> AesDecryptRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  AesDecryptRequest request;
  request.key_id = reader.u32();
  const size_t aad_length = reader.u16();
  request.aad = reader.bytes(aad_length);
  const UntrustedBytes sealed = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_ASSIGN(parts, AesEncryptAnswer::decode(sealed));
  request.nonce = parts.nonce;
  request.ciphertext = parts.ciphertext;
  request.tag = parts.tag;
  return request;
}

}  // namespace wvds::protocol
