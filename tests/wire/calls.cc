#include "calls.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <numeric>
#include <string_view>
#include <vector>

namespace wvds::wire {
namespace {

using Buffer = std::vector<uint8_t>;

// The keys' bytes are made up and protect nothing.
Buffer counting(size_t size, uint8_t from) {
  Buffer bytes(size);
  std::iota(bytes.begin(), bytes.end(), from);
  return bytes;
}

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

constexpr std::string_view kMessage = "21.5 degrees at 14:03";
constexpr std::string_view kAad = "sensor 7";
constexpr std::string_view kContext = "reading";

// Out is room for one output; `bytes` is what came.
struct Out {
  explicit Out(size_t size) : room(size) {}
  Buffer bytes() const { return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(len)}; }
  Buffer room;
  size_t len = 0;
};

uint32_t import(wvds_session* session, const wvds_key_template& wanted, wvds_key_format format, const Buffer& material,
                Buffer* public_key = nullptr) {
  uint32_t id = 0;
  Out out(WVDS_MAX_PUBLIC_KEY_SIZE);
  EXPECT_EQ(wvds_key_import(session, &id, out.room.data(), &out.len, out.room.size(), &wanted, format, material.data(),
                            material.size()),
            WVDS_SUCCESS);
  if (public_key != nullptr) *public_key = out.bytes();
  return id;
}

wvds_key_template wanted_key(wvds_algorithm algorithm, uint32_t usages = 0, const char* label = nullptr) {
  wvds_key_template wanted{};
  wanted.algorithm = algorithm;
  wanted.usages = usages;
  wanted.label = label;
  return wanted;
}

Buffer encrypt(wvds_session* session, uint32_t key) {
  Out sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(kMessage.size()));
  EXPECT_EQ(wvds_aes_encrypt(session, sealed.room.data(), &sealed.len, sealed.room.size(), key, bytes_of(kMessage),
                             kMessage.size(), bytes_of(kAad), kAad.size()),
            WVDS_SUCCESS);
  return sealed.bytes();
}

wvds_status decrypt(wvds_session* session, uint32_t key, const Buffer& sealed) {
  Out opened(kMessage.size());
  const wvds_status status = wvds_aes_decrypt(session, opened.room.data(), &opened.len, opened.room.size(), key,
                                              sealed.data(), sealed.size(), bytes_of(kAad), kAad.size());
  if (status == WVDS_SUCCESS) {
    EXPECT_EQ(opened.bytes(), Buffer(kMessage.begin(), kMessage.end()));
  }
  return status;
}

void call_aes(wvds_session* session) {
  const uint32_t key =
      import(session, wanted_key(WVDS_AES_256_GCM, 0, "gr\xc3\xbc\xc3\x9f"), WVDS_KEY_FORMAT_RAW, counting(32, 0));
  Buffer sealed = encrypt(session, key);
  EXPECT_EQ(decrypt(session, key, sealed), WVDS_SUCCESS);
  EXPECT_EQ(decrypt(session, key, sealed), WVDS_NONCE_REUSE);
  sealed.back() ^= 1;
  EXPECT_EQ(decrypt(session, key, sealed), WVDS_DECRYPTION_FAILED);

  uint32_t version = 0;
  EXPECT_EQ(wvds_key_rotate(session, &version, nullptr, nullptr, 0, key), WVDS_SUCCESS);
  EXPECT_EQ(version, 2u);
  EXPECT_EQ(wvds_key_delete(session, key, 1), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_retire(session, key), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_delete(session, key, 0), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_delete(session, key, 0), WVDS_KEY_NOT_FOUND);
}

Buffer sign(wvds_session* session, uint32_t key, std::string_view message, std::string_view context, uint32_t flags) {
  Out signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(wvds_mldsa_sign(session, signature.room.data(), &signature.len, signature.room.size(), key,
                            bytes_of(message), message.size(), bytes_of(context), context.size(), flags),
            WVDS_SUCCESS);
  return signature.bytes();
}

wvds_status verify(wvds_session* session, const wvds_public_key& key, const Buffer& signature, std::string_view message,
                   std::string_view context, uint32_t flags = 0) {
  return wvds_mldsa_verify(session, &key, signature.data(), signature.size(), bytes_of(message), message.size(),
                           bytes_of(context), context.size(), flags);
}

void call_mldsa(wvds_session* session) {
  Buffer public_key;
  const uint32_t usages = WVDS_USAGE_SIGN | WVDS_USAGE_VERIFY | WVDS_USAGE_SIGN_MU;
  const uint32_t key =
      import(session, wanted_key(WVDS_MLDSA_44, usages), WVDS_KEY_FORMAT_SEED, counting(32, 1), &public_key);
  const Buffer fixed = sign(session, key, kMessage, kContext, WVDS_MLDSA_DETERMINISTIC);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(key), fixed, kMessage, kContext), WVDS_SUCCESS);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(key), fixed, kMessage, "another"), WVDS_SIGNATURE_INVALID);
  const Buffer hedged = sign(session, key, kMessage, "", 0);
  const auto raw = wvds_public_key_raw(WVDS_MLDSA_44, public_key.data(), public_key.size());
  EXPECT_EQ(verify(session, raw, hedged, kMessage, ""), WVDS_SUCCESS);
  const std::string mu(64, 'm');
  const Buffer of_mu = sign(session, key, mu, "", WVDS_MLDSA_EXTERNAL_MU | WVDS_MLDSA_DETERMINISTIC);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(key), of_mu, mu, "", WVDS_MLDSA_EXTERNAL_MU), WVDS_SUCCESS);
  Out again(WVDS_MAX_PUBLIC_KEY_SIZE);
  EXPECT_EQ(wvds_key_public(session, again.room.data(), &again.len, again.room.size(), key, 0), WVDS_SUCCESS);
  EXPECT_EQ(again.bytes(), public_key);
}

void call_ecdsa(wvds_session* session) {
  Buffer public_key;
  const uint32_t key = import(session, wanted_key(WVDS_ECDSA_P256), WVDS_KEY_FORMAT_RAW, counting(32, 2), &public_key);
  Out signature(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(wvds_ecdsa_sign(session, signature.room.data(), &signature.len, signature.room.size(), key,
                            bytes_of(kMessage), kMessage.size(), WVDS_SHA256, 0),
            WVDS_SUCCESS);
  const auto raw = wvds_public_key_raw(WVDS_ECDSA_P256, public_key.data(), public_key.size());
  EXPECT_EQ(wvds_ecdsa_verify(session, &raw, signature.room.data(), signature.len, bytes_of(kMessage), kMessage.size(),
                              WVDS_SHA256, 0),
            WVDS_SUCCESS);
  const auto by_id = wvds_public_key_by_id(key);
  const std::string digest(32, 'd');
  EXPECT_EQ(wvds_ecdsa_verify(session, &by_id, signature.room.data(), signature.len, bytes_of(digest), digest.size(),
                              WVDS_SHA256, WVDS_ECDSA_DIGEST),
            WVDS_SIGNATURE_INVALID);
}

// A shared secret that is handed out.
void call_mlkem(wvds_session* session) {
  Buffer public_key;
  const uint32_t usages = WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW;
  const uint32_t key =
      import(session, wanted_key(WVDS_MLKEM_512, usages), WVDS_KEY_FORMAT_SEED, counting(64, 3), &public_key);
  const auto raw = wvds_public_key_raw(WVDS_MLKEM_512, public_key.data(), public_key.size());
  for (const wvds_public_key& to : {wvds_public_key_by_id(key), raw}) {
    uint8_t sent[WVDS_MLKEM_SHARED_SECRET_SIZE], received[WVDS_MLKEM_SHARED_SECRET_SIZE];
    Out ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
    EXPECT_EQ(wvds_mlkem_encaps(session, sent, ciphertext.room.data(), &ciphertext.len, ciphertext.room.size(), &to),
              WVDS_SUCCESS);
    EXPECT_EQ(wvds_mlkem_decaps(session, received, key, ciphertext.room.data(), ciphertext.len), WVDS_SUCCESS);
    EXPECT_EQ(std::memcmp(sent, received, sizeof sent), 0);
  }
}

// One that becomes a key for each direction.
void call_mlkem_to_key(wvds_session* session) {
  const uint32_t key = import(session, wanted_key(WVDS_MLKEM_512), WVDS_KEY_FORMAT_SEED, counting(64, 4));
  const auto to = wvds_public_key_by_id(key);
  wvds_derivation derivation{};
  derivation.flags = WVDS_DERIVE_DUPLEX;
  derivation.context = bytes_of(kContext);
  derivation.context_len = kContext.size();
  uint32_t out_key = 0, back_key = 0, far_out_key = 0, far_back_key = 0;
  Out ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  EXPECT_EQ(wvds_mlkem_encaps_to_key(session, &out_key, &back_key, ciphertext.room.data(), &ciphertext.len,
                                     ciphertext.room.size(), &to, &derivation),
            WVDS_SUCCESS);
  EXPECT_EQ(wvds_mlkem_decaps_to_key(session, &far_back_key, &far_out_key, key, ciphertext.room.data(), ciphertext.len,
                                     &derivation),
            WVDS_SUCCESS);
  EXPECT_EQ(decrypt(session, far_out_key, encrypt(session, out_key)), WVDS_SUCCESS);

  uint32_t made = 0;
  Out public_key(WVDS_MAX_PUBLIC_KEY_SIZE);
  EXPECT_EQ(wvds_mlkem_keygen(session, &made, public_key.room.data(), &public_key.len, public_key.room.size(),
                              WVDS_MLKEM_512, WVDS_LIFETIME_SESSION, 0),
            WVDS_SUCCESS);
}

void call_management(wvds_session* session) {
  wvds_key_template wanted = wanted_key(WVDS_MLDSA_44, 0, "with limits");
  wanted.lifetime = WVDS_LIFETIME_VOLATILE;
  wanted.max_uses = 1000;
  wanted.not_before = 1'000'000'000;
  wanted.not_after = 4'000'000'000;
  uint32_t id = 0;
  Out public_key(WVDS_MAX_PUBLIC_KEY_SIZE);
  EXPECT_EQ(wvds_key_generate(session, &id, public_key.room.data(), &public_key.len, public_key.room.size(), &wanted),
            WVDS_SUCCESS);
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(session, &details, id), WVDS_SUCCESS);
  EXPECT_STREQ(details.label, "with limits");
  EXPECT_EQ(details.max_uses, 1000u);
  EXPECT_EQ(details.not_after, 4'000'000'000u);
  EXPECT_EQ(details.versions[0].state, uint32_t{WVDS_KEY_VERSION_ACTIVE});

  wvds_key_entry entries[2];
  size_t count = 0;
  int more = 0;
  EXPECT_EQ(wvds_key_list(session, entries, &count, 2, &more, 0), WVDS_SUCCESS);
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(more, 1);
  EXPECT_EQ(entries[0].algorithm, wvds_algorithm{WVDS_MLDSA_44});
}

void call_service(wvds_session* session) {
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
  uint8_t random[16];
  EXPECT_EQ(wvds_random(session, random, sizeof random), WVDS_SUCCESS);
  wvds_service_state state{};
  EXPECT_EQ(wvds_status_get(session, &state), WVDS_SUCCESS);
  EXPECT_EQ(state.fips_state, uint32_t{WVDS_FIPS_ACTIVE});
  const auto capabilities = std::make_unique<wvds_capability_list>();
  EXPECT_EQ(wvds_capabilities(session, capabilities.get()), WVDS_SUCCESS);
  EXPECT_EQ(wvds_can(capabilities.get(), WVDS_OP_MLDSA_SIGN), 1);
  const auto metrics = std::make_unique<wvds_metrics>();
  EXPECT_EQ(wvds_metrics_get(session, metrics.get()), WVDS_SUCCESS);
  EXPECT_GT(metrics->num_operations, 0u);
}

}  // namespace

void call_crypto_service(wvds_session* session) {
  call_aes(session);
  call_mldsa(session);
  call_ecdsa(session);
  call_mlkem(session);
  call_mlkem_to_key(session);
  call_management(session);
  call_service(session);
}

void call_est_service(wvds_session* session) {
  const auto state = std::make_unique<wvds_est_state>();
  EXPECT_EQ(wvds_est_status(session, state.get()), WVDS_SUCCESS);
  EXPECT_STREQ(state->certificates[0].name, "device");
  std::vector<char> text(65'536);
  size_t length = 0;
  uint32_t key = 0;
  EXPECT_EQ(wvds_est_certificate(session, text.data(), &length, text.size(), &key, "device", WVDS_EST_CURRENT),
            WVDS_SUCCESS);
  EXPECT_EQ(key, 7u);
  EXPECT_EQ(wvds_est_certificate(session, text.data(), &length, text.size(), &key, "nobody", WVDS_EST_PREVIOUS),
            WVDS_CERTIFICATE_NOT_FOUND);
  EXPECT_EQ(wvds_est_ca_certificates(session, text.data(), &length, text.size()), WVDS_SUCCESS);
  uint64_t generation = 0;
  EXPECT_EQ(wvds_est_wait(session, &generation, 0, 60'000), WVDS_SUCCESS);
  EXPECT_EQ(generation, state->generation);
  EXPECT_EQ(wvds_est_renew(session, "device", WVDS_EST_RENEW_NOW), WVDS_SUCCESS);
  wvds_est_task task{};
  std::vector<uint8_t> out(WVDS_EST_MAX_RELAY_SIZE);
  EXPECT_EQ(wvds_est_relay(session, &task, out.data(), out.size(), nullptr, 0), WVDS_SUCCESS);
  EXPECT_EQ(task.task, uint32_t{WVDS_EST_TASK_NOTHING});
}

}  // namespace wvds::wire
