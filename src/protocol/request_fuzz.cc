// Fuzzes the decoder of every request. The first byte is the type, the rest the payload.
// Property: a payload that decodes is encoded to the very same bytes; one that does not is INVALID_PAYLOAD.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "protocol/aes_messages.h"
#include "protocol/ecdsa_messages.h"
#include "protocol/est_messages.h"
#include "protocol/key_messages.h"
#include "protocol/mldsa_messages.h"
#include "protocol/mlkem_messages.h"
#include "protocol/operations.h"
#include "protocol/service_messages.h"

namespace wvds::protocol {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

Result<size_t> encode(const AesEncryptRequest& request, MutableBytes out) {
  WVDS_ASSIGN(head, encode_aes_request_head(request.key_id, request.aad.size(), out));
  Writer writer(out.subspan(head));
  writer.bytes(request.aad.in_place());
  writer.bytes(request.plaintext.in_place());
  WVDS_ASSIGN(tail, writer.finish());
  return head + tail;
}

Result<size_t> encode(const AesDecryptRequest& request, MutableBytes out) {
  WVDS_ASSIGN(head, encode_aes_request_head(request.key_id, request.aad.size(), out));
  Writer writer(out.subspan(head));
  for (const UntrustedBytes part : {request.aad, request.nonce, request.ciphertext, request.tag}) {
    writer.bytes(part.in_place());
  }
  WVDS_ASSIGN(tail, writer.finish());
  return head + tail;
}

Result<size_t> followed_by(Result<size_t> head, UntrustedBytes message, MutableBytes out) {
  if (!head) return head;
  Writer writer(out.subspan(*head));
  writer.bytes(message.in_place());
  WVDS_ASSIGN(tail, writer.finish());
  return *head + tail;
}

Result<size_t> encode(const MlDsaSignRequest& request, MutableBytes out) {
  return followed_by(encode_mldsa_sign_head(request.key_id, request.flags, request.context.in_place(), out),
                     request.message, out);
}

Result<size_t> encode(const MlDsaVerifyRequest& request, MutableBytes out) {
  const MlDsaVerifyHead head{request.key_id,
                             request.algorithm,
                             request.flags,
                             request.public_key.in_place(),
                             request.signature.in_place(),
                             request.context.in_place()};
  return followed_by(encode_mldsa_verify_head(head, out), request.message, out);
}

Result<size_t> encode(const EcdsaSignRequest& request, MutableBytes out) {
  return followed_by(encode_ecdsa_sign_head(request.key_id, request.hash, request.flags, out), request.message, out);
}

Result<size_t> encode(const EcdsaVerifyRequest& request, MutableBytes out) {
  const EcdsaVerifyHead head{request.key_id,
                             request.algorithm,
                             request.hash,
                             request.flags,
                             request.public_key.in_place(),
                             request.signature.in_place()};
  return followed_by(encode_ecdsa_verify_head(head, out), request.message, out);
}

Result<size_t> encode(const MlKemEncapsRequest& request, MutableBytes out) {
  return encode_mlkem_encaps_request(request.key_id, request.algorithm, request.encapsulation_key.in_place(), out);
}

Result<size_t> encode(const MlKemDecapsRequest& request, MutableBytes out) {
  return encode_mlkem_decaps_request(request.key_id, request.ciphertext.in_place(), out);
}

Result<size_t> encode(const MlKemEncapsToKeyRequest& request, MutableBytes out) {
  return encode_mlkem_encaps_to_key_request(request.key_id, request.algorithm, request.encapsulation_key.in_place(),
                                            {request.lifetime, request.flags, request.context.in_place()}, out);
}

Result<size_t> encode(const MlKemDecapsToKeyRequest& request, MutableBytes out) {
  return encode_mlkem_decaps_to_key_request(request.key_id, request.ciphertext.in_place(),
                                            {request.lifetime, request.flags, request.context.in_place()}, out);
}

Result<size_t> encode(const KeyImportRequest& request, MutableBytes out) {
  return encode_key_import_request(request.key, request.format, request.material.in_place(), out);
}

Result<size_t> encode(const EstRelayRequest& request, MutableBytes out) {
  return encode_est_relay_request(request.milliseconds, request.event, request.connection, request.bytes.in_place(),
                                  out);
}

template <class Request>
  requires requires(const Request& request, MutableBytes out) { request.encode(out); }
Result<size_t> encode(const Request& request, MutableBytes out) {
  return request.encode(out);
}

template <class Request>
void check(Bytes payload) {
  const auto request = Request::decode(UntrustedBytes(payload));
  if (!request) {
    require(request.error().status == Status::kInvalidPayload);
    return;
  }
  std::vector<std::byte> again(payload.size());
  const Result<size_t> length = encode(*request, again);
  require(length && *length == payload.size() && std::ranges::equal(again, payload));
}

void check_empty(Bytes payload) {
  require(decode_empty_request(UntrustedBytes(payload)).has_value() == payload.empty());
}

void check(Operation operation, Bytes payload) {
  switch (operation) {
    case Operation::kAesEncrypt: return check<AesEncryptRequest>(payload);
    case Operation::kAesDecrypt: return check<AesDecryptRequest>(payload);
    case Operation::kMlDsaSign: return check<MlDsaSignRequest>(payload);
    case Operation::kMlDsaVerify: return check<MlDsaVerifyRequest>(payload);
    case Operation::kEcdsaSign: return check<EcdsaSignRequest>(payload);
    case Operation::kEcdsaVerify: return check<EcdsaVerifyRequest>(payload);
    case Operation::kMlKemKeygen: return check<MlKemKeygenRequest>(payload);
    case Operation::kMlKemEncaps: return check<MlKemEncapsRequest>(payload);
    case Operation::kMlKemDecaps: return check<MlKemDecapsRequest>(payload);
    case Operation::kMlKemEncapsToKey: return check<MlKemEncapsToKeyRequest>(payload);
    case Operation::kMlKemDecapsToKey: return check<MlKemDecapsToKeyRequest>(payload);
    case Operation::kKeyGenerate: return check<KeyGenerateRequest>(payload);
    case Operation::kKeyImport: return check<KeyImportRequest>(payload);
    case Operation::kKeyPublic:
    case Operation::kKeyDelete: return check<KeyVersionRequest>(payload);
    case Operation::kKeyList:
    case Operation::kKeyInfo:
    case Operation::kKeyRotate:
    case Operation::kKeyRetire: return check<KeyIdRequest>(payload);
    case Operation::kRandom: return check<RandomRequest>(payload);
    case Operation::kPing:
    case Operation::kStatus:
    case Operation::kCapabilities:
    case Operation::kMetrics:
    case Operation::kEstStatus: return check_empty(payload);
    case Operation::kEstCertificate: return check<EstCertificateRequest>(payload);
    case Operation::kEstCaCertificates: return check<EstCaCertificatesRequest>(payload);
    case Operation::kEstWait: return check<EstWaitRequest>(payload);
    case Operation::kEstRenew: return check<EstRenewRequest>(payload);
    case Operation::kEstRelay: return check<EstRelayRequest>(payload);
  }
}

}  // namespace
}  // namespace wvds::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const wvds::protocol::OperationInfo* info = wvds::protocol::operation_info(data[0]);
  if (info == nullptr) return 0;
  wvds::protocol::check(info->operation, std::as_bytes(std::span(data + 1, size - 1)));
  return 0;
}
