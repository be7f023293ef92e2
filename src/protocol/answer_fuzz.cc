// Fuzzes the decoder of every answer that has fields. The first byte is the type of the request that it answers, the
// rest the payload. Property: a payload that decodes is encoded to the very same bytes, its texts can be printed and
// its lists come to an end; one that does not is INVALID_PAYLOAD.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "protocol/aes_messages.h"
#include "protocol/capability_messages.h"
#include "protocol/est_messages.h"
#include "protocol/fields.h"
#include "protocol/key_messages.h"
#include "protocol/metrics_messages.h"
#include "protocol/mlkem_messages.h"
#include "protocol/operations.h"
#include "protocol/service_messages.h"

namespace wvds::protocol {
namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

Result<size_t> write_all(std::initializer_list<UntrustedBytes> parts, MutableBytes out) {
  Writer writer(out);
  for (const UntrustedBytes part : parts) writer.bytes(part.in_place());
  return writer.finish();
}

Result<size_t> encode(const AesEncryptAnswer& answer, MutableBytes out) {
  return write_all({answer.nonce, answer.ciphertext, answer.tag}, out);
}

Result<size_t> encode(const MlKemEncapsAnswer& answer, MutableBytes out) {
  return write_all({answer.shared_secret, answer.ciphertext}, out);
}

Result<size_t> encode(const KeyCreatedAnswer& answer, MutableBytes out) {
  return encode_key_created_answer(answer.key_id, answer.public_key.in_place(), out);
}

Result<size_t> encode(const DerivedKeysAnswer& answer, MutableBytes out) {
  return encode_derived_keys_answer(answer.encrypt_key_id, answer.decrypt_key_id, answer.ciphertext.in_place(), out);
}

Result<size_t> encode(const KeyRotateAnswer& answer, MutableBytes out) {
  return encode_key_rotate_answer(answer.version, answer.public_key.in_place(), out);
}

Result<size_t> encode(const KeyListAnswer& answer, MutableBytes out) {
  uint32_t last_id = 0;
  for (const KeyListEntry& entry : answer.entries) {
    expect(is_text(entry.label) && entry.label.size() <= kMaxLabelSize && entry.key_id > last_id);
    last_id = entry.key_id;
  }
  expect(!answer.more || !answer.entries.empty());
  return answer.encode(out);
}

Result<size_t> encode(const KeyInfoAnswer& answer, MutableBytes out) {
  expect(is_text(answer.owner) && answer.owner.size() <= kMaxPrincipalSize);
  expect(is_text(answer.label) && answer.label.size() <= kMaxLabelSize);
  expect(answer.versions.size() <= kMaxKeyVersions);
  return answer.encode(out);
}

Result<size_t> encode(const StatusAnswer& answer, MutableBytes out) {
  expect(is_text(answer.service_version) && is_text(answer.library_version) && is_text(answer.provider));
  expect(std::ranges::all_of(answer.warnings, is_text));
  return answer.encode(out);
}

Result<size_t> encode(const CapabilitiesAnswer& answer, MutableBytes out) { return answer.encode(out); }

Result<size_t> encode(const MetricsAnswer& answer, MutableBytes out) {
  expect(std::ranges::is_sorted(answer.operations, {}, &OperationMetrics::type));
  expect(answer.most_used_keys.size() <= kMaxMostUsedKeys);
  return answer.encode(out);
}

void expect_printable(const std::optional<EstFailure>& failure) {
  if (failure) expect(is_text(failure->name) && is_text(failure->detail) && is_text(failure->advice));
}

Result<size_t> encode(const EstStatusAnswer& answer, MutableBytes out) {
  expect(answer.certificates.size() <= kMaxEstCertificates);
  expect_printable(answer.ca_failure);
  for (const EstCertificateState& certificate : answer.certificates) {
    expect(is_text(certificate.name) && is_text(certificate.subject));
    expect_printable(certificate.failure);
  }
  return answer.encode(out);
}

Result<size_t> encode(const EstPartAnswer& answer, MutableBytes out) {
  expect(answer.bytes.size() <= answer.total && answer.total <= kMaxEstPemSize);
  return encode_est_part_answer(answer.generation, answer.total, answer.key_id, answer.bytes.in_place(), out);
}

Result<size_t> encode(const EstWaitAnswer& answer, MutableBytes out) { return answer.encode(out); }

Result<size_t> encode(const EstRelayAnswer& answer, MutableBytes out) {
  expect(answer.bytes.size() <= kMaxRelayBytes && answer.most <= kMaxRelayBytes);
  return encode_est_relay_answer(answer.task, answer.port, answer.connection, answer.most, answer.bytes.in_place(),
                                 out);
}

template <class Answer>
void check(Bytes payload) {
  const auto answer = Answer::decode(UntrustedBytes(payload));
  if (!answer) {
    expect(answer.error().status == Status::kInvalidPayload);
    return;
  }
  std::vector<std::byte> again(payload.size());
  const Result<size_t> length = encode(*answer, again);
  expect(length && *length == payload.size() && std::ranges::equal(again, payload));
}

void check(Operation operation, Bytes payload) {
  switch (operation) {
    case Operation::kAesEncrypt: return check<AesEncryptAnswer>(payload);
    case Operation::kMlKemEncaps: return check<MlKemEncapsAnswer>(payload);
    case Operation::kMlKemEncapsToKey:
    case Operation::kMlKemDecapsToKey: return check<DerivedKeysAnswer>(payload);
    case Operation::kMlKemKeygen:
    case Operation::kKeyGenerate:
    case Operation::kKeyImport: return check<KeyCreatedAnswer>(payload);
    case Operation::kKeyList: return check<KeyListAnswer>(payload);
    case Operation::kKeyInfo: return check<KeyInfoAnswer>(payload);
    case Operation::kKeyRotate: return check<KeyRotateAnswer>(payload);
    case Operation::kStatus: return check<StatusAnswer>(payload);
    case Operation::kCapabilities: return check<CapabilitiesAnswer>(payload);
    case Operation::kMetrics: return check<MetricsAnswer>(payload);
    case Operation::kEstStatus: return check<EstStatusAnswer>(payload);
    case Operation::kEstCertificate:
    case Operation::kEstCaCertificates: return check<EstPartAnswer>(payload);
    case Operation::kEstWait: return check<EstWaitAnswer>(payload);
    case Operation::kEstRelay: return check<EstRelayAnswer>(payload);
    case Operation::kAesDecrypt:
    case Operation::kMlDsaSign:
    case Operation::kMlDsaVerify:
    case Operation::kEcdsaSign:
    case Operation::kEcdsaVerify:
    case Operation::kMlKemDecaps:
    case Operation::kKeyPublic:
    case Operation::kKeyRetire:
    case Operation::kKeyDelete:
    case Operation::kRandom:
    case Operation::kEstRenew:
    case Operation::kPing: return;  // bytes as they are, or none
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
