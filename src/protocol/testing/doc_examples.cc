#include "protocol/testing/doc_examples.h"

#include "protocol/aes_messages.h"
#include "protocol/capability_messages.h"
#include "protocol/ecdsa_messages.h"
#include "protocol/est_messages.h"
#include "protocol/frame.h"
#include "protocol/key_messages.h"
#include "protocol/metrics_messages.h"
#include "protocol/mldsa_messages.h"
#include "protocol/mlkem_messages.h"
#include "protocol/operations.h"
#include "protocol/service_messages.h"

namespace wvds::protocol::testing {
namespace {

Buffer request(Operation operation, const Buffer& payload) {
  Buffer head(kFrameHeaderSize);
  encode_request_header(static_cast<uint8_t>(operation), static_cast<uint32_t>(payload.size()),
                        std::span(head).first<kFrameHeaderSize>());
  return join({head, payload});
}

Buffer answer(const Buffer& payload, Status status = Status::kSuccess) {
  Buffer head(kFrameHeaderSize);
  encode_answer_header(status, static_cast<uint32_t>(payload.size()), std::span(head).first<kFrameHeaderSize>());
  return join({head, payload});
}

const Buffer kSealed =
    hex("F1 A2 B3 C4 01 02 03 04 05 06 07 08  92 AA A9 E4 92 05  35 7B 99 2F 90 38 52 4B 83 00 29 E3 C7 C1 00 59");
const Buffer kSignature = repeated(0xC3, 3309);
const Buffer kMlDsaPublic = repeated(0xD4, 1952);
const Buffer kMlKemPublic = repeated(0xA1, 1184);
const Buffer kCiphertext = repeated(0xB2, 1088);
const Buffer kSecret = repeated(0x5E, 32);
const Buffer kBatch = text("batch"), kBatch1 = text("batch 1");

void add_aes(Examples& all) {
  const Buffer head = encoded([](MutableBytes out) { return encode_aes_request_head(7, 8, out); });
  all["AES_ENCRYPT request"] = request(Operation::kAesEncrypt, join({head, text("meter-42"), text("21.5 C")}));
  all["AES_ENCRYPT answer"] = answer(kSealed);
  all["AES_DECRYPT request"] = request(Operation::kAesDecrypt, join({head, text("meter-42"), kSealed}));
  all["AES_DECRYPT answer"] = answer(text("21.5 C"));
}

Buffer verify_payload(uint32_t key_id, Algorithm algorithm, const Buffer& key) {
  const MlDsaVerifyHead head{key_id, algorithm, 0, key, kSignature, kBatch};
  return join({encoded([&](MutableBytes out) { return encode_mldsa_verify_head(head, out); }), text("18.0 C")});
}

void add_mldsa(Examples& all) {
  const Buffer head =
      encoded([](MutableBytes out) { return encode_mldsa_sign_head(9, kMlDsaDeterministic, kBatch, out); });
  all["MLDSA_SIGN request"] = request(Operation::kMlDsaSign, join({head, text("18.0 C")}));
  all["MLDSA_SIGN answer"] = answer(kSignature);
  all["MLDSA_VERIFY request by id"] = request(Operation::kMlDsaVerify, verify_payload(9, Algorithm::kNone, {}));
  all["MLDSA_VERIFY request with public key"] =
      request(Operation::kMlDsaVerify, verify_payload(0, Algorithm::kMlDsa65, kMlDsaPublic));
  all["MLDSA_VERIFY answer"] = answer({});
}

const Buffer kEcdsaSignature = hex("30 45  02 21 00 E5*32  02 20 56*32");
const Buffer kPoint = hex("04 E7*64");

void add_ecdsa(Examples& all) {
  const Buffer head = encoded([](MutableBytes out) { return encode_ecdsa_sign_head(9, Hash::kSha256, 0, out); });
  const EcdsaVerifyHead by_id{9, Algorithm::kNone, Hash::kSha256, 0, {}, kEcdsaSignature};
  const EcdsaVerifyHead by_key{0, Algorithm::kEcdsaP256, Hash::kSha256, kEcdsaDigest, kPoint, kEcdsaSignature};
  const auto verify = [](const EcdsaVerifyHead& head, const Buffer& message) {
    return request(Operation::kEcdsaVerify,
                   join({encoded([&](MutableBytes out) { return encode_ecdsa_verify_head(head, out); }), message}));
  };
  all["ECDSA_SIGN request"] = request(Operation::kEcdsaSign, join({head, text("18.0 C")}));
  all["ECDSA_SIGN answer"] = answer(kEcdsaSignature);
  all["ECDSA_VERIFY request by id"] = verify(by_id, text("18.0 C"));
  all["ECDSA_VERIFY request with public key"] = verify(by_key, repeated(0xD6, 32));
  all["ECDSA_VERIFY answer"] = answer({});
}

Buffer encaps_payload(uint32_t key_id, Algorithm algorithm, const Buffer& key) {
  return encoded([&](MutableBytes out) { return encode_mlkem_encaps_request(key_id, algorithm, key, out); });
}

Buffer key_created(uint32_t key_id, const Buffer& public_key) {
  return answer(encoded([&](MutableBytes out) { return encode_key_created_answer(key_id, public_key, out); }));
}

Buffer derived_keys(uint32_t encrypt_id, uint32_t decrypt_id, const Buffer& ciphertext) {
  return answer(
      encoded([&](MutableBytes out) { return encode_derived_keys_answer(encrypt_id, decrypt_id, ciphertext, out); }));
}

void add_mlkem(Examples& all) {
  const MlKemKeygenRequest keygen{Algorithm::kMlKem768, Lifetime::kDefault, Usage::kEncapsulate | Usage::kDecapsRaw};
  all["MLKEM_KEYGEN request"] = request(Operation::kMlKemKeygen, encoding_of(keygen));
  all["MLKEM_KEYGEN answer"] = key_created(11, kMlKemPublic);
  all["MLKEM_ENCAPS request with public key"] =
      request(Operation::kMlKemEncaps, encaps_payload(0, Algorithm::kMlKem768, kMlKemPublic));
  all["MLKEM_ENCAPS request by id"] = request(Operation::kMlKemEncaps, encaps_payload(11, Algorithm::kNone, {}));
  all["MLKEM_ENCAPS answer"] = answer(join({kSecret, kCiphertext}));
  all["MLKEM_DECAPS request"] =
      request(Operation::kMlKemDecaps,
              encoded([](MutableBytes out) { return encode_mlkem_decaps_request(11, kCiphertext, out); }));
  all["MLKEM_DECAPS answer"] = answer(kSecret);
}

void add_mlkem_to_key(Examples& all) {
  const MlKemToKeyOptions plain{Lifetime::kDefault, 0, kBatch1};
  all["MLKEM_ENCAPS_TO_KEY request"] =
      request(Operation::kMlKemEncapsToKey, encoded([&](MutableBytes out) {
                return encode_mlkem_encaps_to_key_request(0, Algorithm::kMlKem768, kMlKemPublic, plain, out);
              }));
  all["MLKEM_ENCAPS_TO_KEY answer"] = derived_keys(12, 0, kCiphertext);
  const MlKemToKeyOptions window_off{Lifetime::kDefault, kReplayWindowOff, kBatch1};
  all["MLKEM_DECAPS_TO_KEY request"] = request(
      Operation::kMlKemDecapsToKey,
      encoded([&](MutableBytes out) { return encode_mlkem_decaps_to_key_request(13, kCiphertext, window_off, out); }));
  all["MLKEM_DECAPS_TO_KEY answer"] = derived_keys(0, 14, {});
}

constexpr KeyLimits kAYear{.max_uses = 1'000'000, .not_before = 1'798'761'600, .not_after = 1'830'297'599};

void add_key_making(Examples& all) {
  const KeyGenerateRequest generate{
      {Algorithm::kAes256Gcm, Lifetime::kPersistent, 0, kKeyFlagReplayWindowOff, "archive", kAYear}};
  all["KEY_GENERATE request"] = request(Operation::kKeyGenerate, encoding_of(generate));
  all["KEY_GENERATE answer"] = key_created(15, {});
  const KeyTemplate imported{Algorithm::kMlDsa65, Lifetime::kVolatile, Usage::kSign | Usage::kVerify, 0, "test", {}};
  Buffer seed(32);
  for (size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::byte>(i);
  all["KEY_IMPORT request"] = request(Operation::kKeyImport, encoded([&](MutableBytes out) {
                                        return encode_key_import_request(imported, KeyFormat::kSeed, seed, out);
                                      }));
  all["KEY_IMPORT answer"] = key_created(16, kMlDsaPublic);
}

KeyInfoAnswer an_info() {
  KeyInfoAnswer info;
  info.key_id = 17;
  info.algorithm = Algorithm::kAes256Gcm;
  info.lifetime = Lifetime::kPersistent;
  info.usages = Usage::kEncrypt | Usage::kDecrypt;
  info.place = KeyPlace::kFile;
  info.owner = "gateway";
  info.label = "uplink";
  info.inside_fips = true;
  info.provider = "OpenSSL FIPS Provider 3.6.3";
  info.limits.not_after = kAYear.not_after;
  info.versions = {{2, KeyVersionState::kActive, 65536, 1ull << 32, 0, 1'000'000},
                   {1, KeyVersionState::kRetired, (1ull << 32) + 42, 1ull << 32, 5, 1'000'000}};
  return info;
}

void add_key_management(Examples& all) {
  all["KEY_PUBLIC request"] = request(Operation::kKeyPublic, encoding_of(KeyVersionRequest{16, 0}));
  all["KEY_PUBLIC answer"] = answer(kMlDsaPublic);
  all["KEY_LIST request"] = request(Operation::kKeyList, encoding_of(KeyIdRequest{14}));
  KeyListAnswer list;
  list.entries = {{15, Algorithm::kAes256Gcm, Lifetime::kPersistent, Usage::kEncrypt | Usage::kDecrypt, 1, "archive"},
                  {16, Algorithm::kMlDsa65, Lifetime::kVolatile, Usage::kSign | Usage::kVerify, 1, "test"}};
  all["KEY_LIST answer"] = answer(encoding_of(list));
  all["KEY_INFO request"] = request(Operation::kKeyInfo, encoding_of(KeyIdRequest{17}));
  all["KEY_INFO answer"] = answer(encoding_of(an_info()));
  all["KEY_ROTATE request"] = request(Operation::kKeyRotate, encoding_of(KeyIdRequest{17}));
  all["KEY_ROTATE answer"] = answer(encoded([](MutableBytes out) { return encode_key_rotate_answer(3, {}, out); }));
  all["KEY_RETIRE request"] = request(Operation::kKeyRetire, encoding_of(KeyIdRequest{17}));
  all["KEY_RETIRE answer"] = answer({});
  all["KEY_DELETE request"] = request(Operation::kKeyDelete, encoding_of(KeyVersionRequest{17, 1}));
  all["KEY_DELETE answer"] = answer({});
}

StatusAnswer a_status() {
  StatusAnswer status;
  status.fips_mode = FipsMode::kRequired;
  status.fips_state = FipsState::kActive;
  status.locked_memory = true;
  status.place = static_cast<uint8_t>(KeyPlace::kFile);
  status.epoch = 0x0123456789ABCDEF;
  status.uptime_ms = 60'000;
  status.sessions = 2;
  status.session_limit = 64;
  status.persistent_keys = 5;
  status.memory_keys = 1;
  status.service_version = "0.1.0";
  status.library_version = "OpenSSL 3.6.3";
  status.provider = "OpenSSL FIPS Provider";
  status.warnings = {"key 17 is at 76 % !"};
  return status;
}

MetricsAnswer some_metrics() {
  MetricsAnswer metrics;
  metrics.epoch = 0x0123456789ABCDEF;
  metrics.uptime_ms = 60'000;
  metrics.fips_mode = FipsMode::kRequired;
  metrics.fips_state = FipsState::kActive;
  metrics.locked_memory = true;
  metrics.place = static_cast<uint8_t>(KeyPlace::kFile);
  metrics.sessions = 2;
  metrics.session_limit = 64;
  metrics.warnings = 1;
  metrics.sessions_opened = 7;
  metrics.refused_strangers = 1;
  metrics.rate_limited = 3;
  metrics.locked_bytes = 65'536;
  metrics.locked_bytes_limit = 4'194'304;
  metrics.window_bytes = 4'096;
  metrics.window_bytes_limit = 268'435'456;
  metrics.session_keys = 1;
  metrics.persistent_keys = 5;
  metrics.use_levels = {4, 0, 1, 0, 0};
  metrics.reloads = 2;
  metrics.audit_entry = 42;
  metrics.audit_hash.fill(std::byte{0xab});
  metrics.operations = {{0, {{Status::kInvalidType, 1}}, 0, {}},
                        {0x01, {{Status::kSuccess, 100}, {Status::kRateLimited, 3}}, 4'500, {0, 0, 6, 1}}};
  metrics.most_used_keys = {{17, 2, 3'264'175'145, 1ull << 32}};
  return metrics;
}

CapabilitiesAnswer an_offer() {
  CapabilitiesAnswer offer;
  offer.protocol_version = kVersion;
  offer.fips_state = FipsState::kActive;
  offer.slots = 8;
  offer.max_request_payload = kMaxRequestPayload;
  offer.max_answer_payload = kMaxAnswerPayload;
  offer.max_aes_size = kMaxAesSize;
  offer.max_mldsa_message_size = kMaxMlDsaMessageSize;
  offer.max_random_size = kMaxRequestPayload;
  offer.requests_per_second = 1000;
  offer.burst = 100;
  offer.cooldown_ms = 100;
  offer.max_key_versions = kMaxKeyVersions;
  offer.window_capacity = 1'000'000;
  offer.use_limit = 1ull << 32;
  offer.sessions = {8, 1};
  offer.session_keys = {1024, 2};
  offer.volatile_keys = {1024, 0};
  offer.persistent_keys = {1024, 3};
  offer.keys_per_minute = {6000, 5};
  offer.store_bytes = {16 << 20, 1900};
  offer.window_bytes = {64 << 20, 40'000};
  offer.operations = {0x01, 0x02, 0x50, 0x52};
  offer.algorithms = {{Algorithm::kAes256Gcm, kAlgorithmInsideFips | kAlgorithmRotates, 3, 3, 0x01, 32, 0, 0, 0,
                       "OpenSSL FIPS Provider 3.6.3"},
                      {Algorithm::kMlKem768, 0, 0xe0, 0xa0, 0x0e, 64, 1184, 0, 1088, "Quick Provider 0.9"}};
  return offer;
}

void add_service(Examples& all) {
  all["PING request"] = request(Operation::kPing, {});
  all["PING answer"] = answer({});
  all["KEY_NOT_FOUND answer"] = answer({}, Status::kKeyNotFound);
  all["RANDOM request"] = request(Operation::kRandom, encoding_of(RandomRequest{16}));
  all["RANDOM answer"] = answer(repeated(0xE6, 16));
  all["STATUS request"] = request(Operation::kStatus, {});
  all["STATUS answer"] = answer(encoding_of(a_status()));
  all["CAPABILITIES request"] = request(Operation::kCapabilities, {});
  all["CAPABILITIES answer"] = answer(encoding_of(an_offer()));
  all["METRICS request"] = request(Operation::kMetrics, {});
  all["METRICS answer"] = answer(encoding_of(some_metrics()));
}

EstStatusAnswer an_est_status() {
  EstCertificateState device;
  device.phase = EstPhase::kDue;
  device.key_type = Algorithm::kMlDsa65;
  device.key_id = 17;
  device.failures = 2;
  device.not_before = 1'790'000'000;
  device.not_after = 1'797'776'000;
  device.renew_at = 1'795'000'000;
  device.next_attempt = 1'795'000'120;
  device.fingerprint.fill(std::byte{0xF1});
  device.name = "device";
  device.subject = "CN=gw-17";
  device.failure = EstFailure{"timeout", "no answer", "See the server.", 1'795'000'000};
  return {5, 9, 1'790'000'000, std::nullopt, {device}};
}

void add_est(Examples& all) {
  const Buffer chain = text("-----BEGIN CERTIFICATE-----\n");
  const auto piece = [](uint32_t key_id, const Buffer& bytes) {
    return answer(encoded([&](MutableBytes out) { return encode_est_part_answer(5, 9000, key_id, bytes, out); }));
  };
  const auto to_relay = [](uint32_t milliseconds, RelayEvent event, uint32_t connection, const Buffer& bytes) {
    return request(Operation::kEstRelay, encoded([&](MutableBytes out) {
                     return encode_est_relay_request(milliseconds, event, connection, bytes, out);
                   }));
  };
  const auto task = [](RelayTask task, uint16_t port, uint32_t most, const Buffer& bytes) {
    return answer(encoded([&](MutableBytes out) { return encode_est_relay_answer(task, port, 3, most, bytes, out); }));
  };
  all["EST_STATUS request"] = request(Operation::kEstStatus, {});
  all["EST_STATUS answer"] = answer(encoding_of(an_est_status()));
  all["EST_CERTIFICATE request"] =
      request(Operation::kEstCertificate, encoding_of(EstCertificateRequest{{}, EstWhich::kCurrent, "device"}));
  all["EST_CERTIFICATE answer"] = piece(17, chain);
  all["EST_CA_CERTIFICATES request"] =
      request(Operation::kEstCaCertificates, encoding_of(EstCaCertificatesRequest{{5, 28}}));
  all["EST_CA_CERTIFICATES answer"] = piece(0, chain);
  all["EST_WAIT request"] = request(Operation::kEstWait, encoding_of(EstWaitRequest{5, 1000}));
  all["EST_WAIT answer"] = answer(encoding_of(EstWaitAnswer{6}));
  all["EST_RENEW request"] = request(Operation::kEstRenew, encoding_of(EstRenewRequest{kEstRenewNow, "device"}));
  all["EST_RENEW answer"] = answer({});
  all["EST_RELAY request"] = to_relay(1000, RelayEvent::kReceived, 3, hex("16 03 03"));
  all["EST_RELAY answer"] = task(RelayTask::kConnect, 443, 0, text("est.example"));
  all["EST_RELAY answer that sends"] = task(RelayTask::kSend, 0, 0, hex("16 03 01"));
  all["EST_RELAY answer that receives"] = task(RelayTask::kReceive, 0, 16384, {});
}

}  // namespace

Examples examples() {
  Examples all;
  add_aes(all);
  add_mldsa(all);
  add_ecdsa(all);
  add_mlkem(all);
  add_mlkem_to_key(all);
  add_key_making(all);
  add_key_management(all);
  add_service(all);
  add_est(all);
  return all;
}

}  // namespace wvds::protocol::testing
