#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/mlkem_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_MLKEM_SHARED_SECRET_SIZE == kSharedSecretSize && WVDS_MLKEM_SEED_SIZE == kMlKemSeedSize);
static_assert(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE == kMaxKemCiphertextSize);
static_assert(WVDS_MLKEM_MAX_CONTEXT_SIZE == protocol::kMaxKdfContextSize);
static_assert(WVDS_DERIVE_DUPLEX == protocol::kDuplex && WVDS_DERIVE_REPLAY_WINDOW_OFF == protocol::kReplayWindowOff);

constexpr uint32_t kDeriveFlags = WVDS_DERIVE_DUPLEX | WVDS_DERIVE_REPLAY_WINDOW_OFF;

bool is_ciphertext_size(size_t size) {
  return size == WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_512) || size == WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768) ||
         size == WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_1024);
}

Result<PublicKeyArgument> kem_key_argument(const wvds_public_key* key) {
  WVDS_ASSIGN(argument, public_key_argument(key));
  WVDS_TRY(require(argument.key_id != 0 || is_ml_kem(argument.algorithm)));
  return argument;
}

// A stored key does not tell its algorithm here: room for the smallest ciphertext is all that can be asked before.
size_t smallest_ciphertext(const PublicKeyArgument& key) {
  return key.key_id != 0 ? WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_512) : algorithm_info(key.algorithm)->kem_ciphertext;
}

bool ciphertext_fits(const PublicKeyArgument& key, size_t size) {
  return key.key_id != 0 ? is_ciphertext_size(size) : size == algorithm_info(key.algorithm)->kem_ciphertext;
}

Result<protocol::MlKemToKeyOptions> derivation_argument(const wvds_derivation* derivation) {
  if (derivation == nullptr) return protocol::MlKemToKeyOptions{};
  WVDS_ASSIGN(lifetime, lifetime_argument(derivation->lifetime));
  WVDS_ASSIGN(context, input_bytes(derivation->context, derivation->context_len));
  WVDS_TRY(require((derivation->flags & ~kDeriveFlags) == 0 && context.size() <= protocol::kMaxKdfContextSize));
  return protocol::MlKemToKeyOptions{lifetime, static_cast<uint8_t>(derivation->flags), context};
}

bool is_duplex(const protocol::MlKemToKeyOptions& options) { return (options.flags & protocol::kDuplex) != 0; }

// Ids holds where the ids of derived keys go: the one key that always is, and the one that only duplex makes.
struct Ids {
  uint32_t* always;
  uint32_t* duplex;

  Result<> require_places(bool is_duplex) const {
    return require(always != nullptr && (duplex != nullptr || !is_duplex));
  }

  Result<> hand_out(uint32_t always_id, uint32_t duplex_id, bool is_duplex) const {
    WVDS_TRY(require_of_service(always_id != 0 && (duplex_id != 0) == is_duplex));
    *always = always_id;
    if (duplex != nullptr) *duplex = duplex_id;
    return {};
  }
};

}  // namespace

wvds_status wvds_mlkem_keygen(wvds_session* session, uint32_t* out_key_id, uint8_t* out_public_key,
                              size_t* out_public_key_len, size_t max_public_key, wvds_algorithm algorithm,
                              wvds_lifetime lifetime, uint32_t usages) {
  clear(out_key_id);
  Output public_key(out_public_key, out_public_key_len, max_public_key);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(kem, algorithm_argument(algorithm));
    WVDS_ASSIGN(kept_for, lifetime_argument(lifetime));
    WVDS_ASSIGN(allowed, usages_argument(usages));
    WVDS_TRY(require(is_ml_kem(kem) && out_key_id != nullptr));
    WVDS_TRY(public_key.require_room(algorithm_info(kem)->public_key));
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::MlKemKeygenRequest request{kem, kept_for, allowed};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kMlKemKeygen, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::KeyCreatedAnswer::decode(payload)));
    WVDS_TRY(require_of_service(answer.public_key.size() == algorithm_info(kem)->public_key));
    WVDS_TRY(public_key.fill(answer.public_key));
    public_key.commit();
    *out_key_id = answer.key_id;
    return {};
  });
}

wvds_status wvds_mlkem_encaps(wvds_session* session, uint8_t out_shared_secret[WVDS_MLKEM_SHARED_SECRET_SIZE],
                              uint8_t* out_ciphertext, size_t* out_ciphertext_len, size_t max_ciphertext,
                              const wvds_public_key* key) {
  FixedOutput secret(out_shared_secret, kSharedSecretSize);
  Output ciphertext(out_ciphertext, out_ciphertext_len, max_ciphertext);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(target, kem_key_argument(key));
    WVDS_TRY(secret.require_room(kSharedSecretSize));
    WVDS_TRY(ciphertext.require_room(smallest_ciphertext(target)));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(length,
                protocol::encode_mlkem_encaps_request(target.key_id, target.algorithm, target.bytes, slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kMlKemEncaps, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::MlKemEncapsAnswer::decode(payload)));
    WVDS_TRY(require_of_service(ciphertext_fits(target, answer.ciphertext.size())));
    WVDS_TRY(ciphertext.fill(answer.ciphertext));
    WVDS_TRY(secret.fill(answer.shared_secret));
    ciphertext.commit();
    secret.commit();
    return {};
  });
}

wvds_status wvds_mlkem_decaps(wvds_session* session, uint8_t out_shared_secret[WVDS_MLKEM_SHARED_SECRET_SIZE],
                              uint32_t key_id, const uint8_t* ciphertext, size_t ciphertext_len) {
  FixedOutput secret(out_shared_secret, kSharedSecretSize);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(ciphertext_bytes, ciphertext_argument(ciphertext, ciphertext_len));
    WVDS_TRY(secret.require_room(kSharedSecretSize));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(length, protocol::encode_mlkem_decaps_request(key_id, ciphertext_bytes, slot.payload()));
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kMlKemDecaps, length));
    WVDS_TRY(require_of_service(answer.size() == kSharedSecretSize));
    WVDS_TRY(secret.fill(answer));
    secret.commit();
    return {};
  });
}

wvds_status wvds_mlkem_encaps_to_key(wvds_session* session, uint32_t* out_encrypt_key_id, uint32_t* out_decrypt_key_id,
                                     uint8_t* out_ciphertext, size_t* out_ciphertext_len, size_t max_ciphertext,
                                     const wvds_public_key* key, const wvds_derivation* derivation) {
  clear(out_encrypt_key_id), clear(out_decrypt_key_id);
  Output ciphertext(out_ciphertext, out_ciphertext_len, max_ciphertext);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(target, kem_key_argument(key));
    WVDS_ASSIGN(options, derivation_argument(derivation));
    const Ids ids{out_encrypt_key_id, out_decrypt_key_id};
    WVDS_TRY(ids.require_places(is_duplex(options)));
    // Keys are made before the size of a stored key's ciphertext is known, so there must be room for any.
    WVDS_TRY(ciphertext.require_room(target.key_id != 0 ? kMaxKemCiphertextSize : smallest_ciphertext(target)));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(length, protocol::encode_mlkem_encaps_to_key_request(target.key_id, target.algorithm, target.bytes,
                                                                     options, slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kMlKemEncapsToKey, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::DerivedKeysAnswer::decode(payload)));
    WVDS_TRY(require_of_service(ciphertext_fits(target, answer.ciphertext.size())));
    WVDS_TRY(ciphertext.fill(answer.ciphertext));
    WVDS_TRY(ids.hand_out(answer.encrypt_key_id, answer.decrypt_key_id, is_duplex(options)));
    ciphertext.commit();
    return {};
  });
}

wvds_status wvds_mlkem_decaps_to_key(wvds_session* session, uint32_t* out_encrypt_key_id, uint32_t* out_decrypt_key_id,
                                     uint32_t key_id, const uint8_t* ciphertext, size_t ciphertext_len,
                                     const wvds_derivation* derivation) {
  clear(out_encrypt_key_id), clear(out_decrypt_key_id);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(ciphertext_bytes, ciphertext_argument(ciphertext, ciphertext_len));
    WVDS_ASSIGN(options, derivation_argument(derivation));
    const Ids ids{out_decrypt_key_id, out_encrypt_key_id};
    WVDS_TRY(ids.require_places(is_duplex(options)));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(length,
                protocol::encode_mlkem_decaps_to_key_request(key_id, ciphertext_bytes, options, slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kMlKemDecapsToKey, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::DerivedKeysAnswer::decode(payload)));
    WVDS_TRY(require_of_service(answer.ciphertext.empty()));
    return ids.hand_out(answer.decrypt_key_id, answer.encrypt_key_id, is_duplex(options));
  });
}
