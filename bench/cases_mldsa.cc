#include <cstring>
#include <optional>

#include "bench/cases.h"
#include "crypto/mldsa.h"
#include "protocol/key_messages.h"
#include "protocol/mldsa_messages.h"

namespace wvds::bench {
namespace {

constexpr size_t kMessageSize = 64;  // a digest's size: larger ones cost hashing, equally in every variant
constexpr size_t kRawKeys = 16;      // different public keys that requests come with

struct KeyPair {
  crypto::LockedBytes seed;
  std::unique_ptr<crypto::MlDsaPrivateKey> private_key;
};

struct MlDsaState {
  const crypto::Library& library;
  Algorithm algorithm;
  std::vector<KeyPair> keys;
  std::unique_ptr<crypto::MlDsaPublicKey> stored_public;
  size_t next = 0;

  const AlgorithmInfo& info() const { return *algorithm_info(algorithm); }
  const KeyPair& next_key() { return keys[next++ % keys.size()]; }
};
using StateRef = std::shared_ptr<MlDsaState>;

Result<StateRef> make_state(World& world, Algorithm algorithm, size_t key_count) {
  auto state = std::make_shared<MlDsaState>(MlDsaState{*world.library, algorithm, {}, {}});
  for (size_t i = 0; i < key_count; ++i) {
    KeyPair pair;
    WVDS_ASSIGN(key, crypto::MlDsaPrivateKey::generate(*world.library, algorithm, pair.seed));
    pair.private_key = std::move(key);
    state->keys.push_back(std::move(pair));
  }
  const Bytes first_public = state->keys.front().private_key->public_key();
  WVDS_ASSIGN(stored, crypto::MlDsaPublicKey::import(*world.library, algorithm, first_public));
  state->stored_public = std::move(stored);
  return state;
}

Result<Request> fresh_to_sign(const MlDsaState& state, uint8_t flags) {
  Request made;
  made.payload.resize(protocol::kMlDsaSignFixedSize + kMessageSize);
  WVDS_TRY(protocol::encode_mldsa_sign_head(0, flags, {}, made.payload));
  made.data = {protocol::kMlDsaSignFixedSize, kMessageSize};
  fill_random(MutableBytes(made.payload).subspan(made.data.offset));
  made.answer_size = state.info().signature;
  return made;
}

Result<Case> sign_case(World& world, Algorithm algorithm, bool deterministic) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_state(world, algorithm, 1));
  WVDS_ASSIGN(key, import_secret(builder.handle(), algorithm, 0, state->keys[0].seed.expose()));
  const uint8_t flags = deterministic ? protocol::kMlDsaDeterministic : 0;
  builder.in_process([state, deterministic](Work& work) {
    crypto::MlDsaOptions options;
    options.deterministic = deterministic;
    return state->keys[0].private_key->sign(options, UntrustedBytes(work.data()),
                                            work.output().first(state->info().signature));
  });
  builder.hand_over();
  builder.simple([session = builder.handle(), key, flags](Work& work) {
    size_t length = 0;
    return checked(wvds_mldsa_sign(session, receives(work.output()), &length, work.output().size(), key,
                                   sends(work.data()), work.data().size(), nullptr, 0, flags),
                   "wvds_mldsa_sign");
  });
  builder.in_place(WVDS_OP_MLDSA_SIGN, key);
  builder.pipeline(WVDS_OP_MLDSA_SIGN, key);
  return builder.finish([state, flags] { return fresh_to_sign(*state, flags); });
}

// fresh_to_verify signs a new message; with `raw` the public key stands in the request.
Result<Request> fresh_to_verify(MlDsaState& state, bool raw) {
  const KeyPair& pair = raw ? state.next_key() : state.keys.front();
  std::array<std::byte, kMessageSize> message;
  std::array<std::byte, kMaxSignatureSize> room;
  fill_random(message);
  const MutableBytes signature = MutableBytes(room).first(state.info().signature);
  WVDS_TRY(pair.private_key->sign({}, UntrustedBytes(message), signature));

  protocol::MlDsaVerifyHead head;
  if (raw) head.algorithm = state.algorithm;
  if (raw) head.public_key = pair.private_key->public_key();
  head.signature = signature;
  Request made;
  made.payload.resize(protocol::kMlDsaVerifyFixedSize + head.public_key.size() + signature.size() + kMessageSize);
  // the encoder asks for a key id where there is no raw key; the variants write theirs over it
  if (!raw) head.key_id = 1;
  WVDS_ASSIGN(used, protocol::encode_mldsa_verify_head(head, made.payload));
  std::memcpy(made.payload.data() + used, message.data(), message.size());
  made.public_key = {protocol::kMlDsaVerifyFixedSize, head.public_key.size()};
  made.signature = {protocol::kMlDsaVerifyFixedSize + head.public_key.size(), signature.size()};
  made.data = {used, kMessageSize};
  return made;
}

Result<> verify_in_process(const MlDsaState& state, bool raw, const Work& work) {
  if (!raw) return state.stored_public->verify({}, UntrustedBytes(work.data()), work.signature());
  WVDS_ASSIGN(key, crypto::MlDsaPublicKey::import(state.library, state.algorithm, work.public_key()));
  return key->verify({}, UntrustedBytes(work.data()), work.signature());
}

Result<Case> verify_case(World& world, Algorithm algorithm, bool raw) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_state(world, algorithm, raw ? kRawKeys : 1));
  WVDS_ASSIGN(stored, import_secret(builder.handle(), algorithm, 0, state->keys[0].seed.expose()));
  const uint32_t key = raw ? 0 : stored;
  builder.in_process([state, raw](Work& work) { return verify_in_process(*state, raw, work); });
  builder.hand_over();
  builder.simple([session = builder.handle(), state, key](Work& work) {
    const wvds_public_key with = key != 0 ? wvds_public_key_by_id(key)
                                          : wvds_public_key_raw(static_cast<wvds_algorithm>(state->algorithm),
                                                                sends(work.public_key()), work.public_key().size());
    return checked(wvds_mldsa_verify(session, &with, sends(work.signature()), work.signature().size(),
                                     sends(work.data()), work.data().size(), nullptr, 0, 0),
                   "wvds_mldsa_verify");
  });
  builder.in_place(WVDS_OP_MLDSA_VERIFY, key);
  builder.pipeline(WVDS_OP_MLDSA_VERIFY, key);
  return builder.finish([state, raw] { return fresh_to_verify(*state, raw); });
}

Result<Request> keygen_request(Algorithm algorithm) {
  protocol::KeyGenerateRequest request;
  request.key.algorithm = algorithm;
  request.key.lifetime = Lifetime::kSession;
  Request made;
  made.payload.resize(64);
  WVDS_ASSIGN(size, request.encode(made.payload));
  made.payload.resize(size);
  made.answer_size = sizeof(uint32_t) + algorithm_info(algorithm)->public_key;
  return made;
}

struct NewKey {
  crypto::LockedBytes seed;
  std::unique_ptr<crypto::MlDsaPrivateKey> key;
  uint32_t id = 0;
};

void add_simple_keygen(CaseBuilder& builder, Algorithm algorithm) {
  auto made = std::make_shared<NewKey>();
  const auto call = [session = builder.handle(), algorithm, made](Work& work) {
    wvds_key_template wanted{};
    wanted.algorithm = static_cast<wvds_algorithm>(algorithm);
    wanted.lifetime = WVDS_LIFETIME_SESSION;
    size_t length = 0;
    return checked(
        wvds_key_generate(session, &made->id, receives(work.output()), &length, work.output().size(), &wanted),
        "wvds_key_generate");
  };
  const auto after = [session = builder.handle(), made](Work&) {
    return checked(wvds_key_delete(session, made->id, 0), "wvds_key_delete");
  };
  builder.simple(call, after);
}

Result<Case> keygen_case(World& world, Algorithm algorithm) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  auto made = std::make_shared<NewKey>();
  const auto generate = [library = world.library.get(), algorithm, made](Work& work) -> Result<> {
    WVDS_ASSIGN(key, crypto::MlDsaPrivateKey::generate(*library, algorithm, made->seed));
    made->key = std::move(key);
    std::memcpy(work.output().data(), made->key->public_key().data(), made->key->public_key().size());
    return {};
  };
  const auto forget = [made](Work&) -> Result<> {
    *made = NewKey();
    return {};
  };
  builder.in_process(generate, forget);
  builder.hand_over();
  add_simple_keygen(builder, algorithm);
  builder.in_place(WVDS_OP_KEY_GENERATE, 0, deletes_key(builder.session()));
  builder.pipeline(WVDS_OP_KEY_GENERATE, 0, deletes_key(builder.session()));
  return builder.finish([algorithm] { return keygen_request(algorithm); });
}

}  // namespace

std::vector<Definition> mldsa_definitions() {
  constexpr std::pair<const char*, Algorithm> kSets[] = {
      {"mldsa44", Algorithm::kMlDsa44}, {"mldsa65", Algorithm::kMlDsa65}, {"mldsa87", Algorithm::kMlDsa87}};
  std::vector<Definition> all;
  for (const auto& [name, algorithm] : kSets) {
    const std::string prefix = std::string(name) + "_";
    const auto add = [&](const char* operation, Effort effort, std::function<Result<Case>(World&)> make) {
      all.push_back({prefix + operation, effort, std::move(make)});
    };
    add("keygen", {24, 30}, [algorithm](World& world) { return keygen_case(world, algorithm); });
    add("sign", {24, 60}, [algorithm](World& world) { return sign_case(world, algorithm, false); });
    add("sign_deterministic", {24, 60}, [algorithm](World& world) { return sign_case(world, algorithm, true); });
    add("verify_raw", {32, 50}, [algorithm](World& world) { return verify_case(world, algorithm, true); });
    add("verify_stored", {32, 50}, [algorithm](World& world) { return verify_case(world, algorithm, false); });
  }
  return all;
}

}  // namespace wvds::bench
