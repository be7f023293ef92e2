#include <cstring>

#include "bench/cases.h"
#include "crypto/mlkem.h"
#include "protocol/mlkem_messages.h"

namespace wvds::bench {
namespace {

constexpr size_t kRawKeys = 16;  // different encapsulation keys that requests come with
constexpr size_t kHeadRoom = 16;
constexpr Usages kUsages = Usage::kEncapsulate | Usage::kDecapsRaw;

struct KeyPair {
  crypto::LockedBytes seed;
  std::unique_ptr<crypto::MlKemPrivateKey> private_key;
};

struct MlKemState {
  const crypto::Library& library;
  Algorithm algorithm;
  std::vector<KeyPair> keys;
  std::unique_ptr<crypto::MlKemPublicKey> stored_public;
  size_t next = 0;

  const AlgorithmInfo& info() const { return *algorithm_info(algorithm); }
  const KeyPair& next_key() { return keys[next++ % keys.size()]; }
};
using StateRef = std::shared_ptr<MlKemState>;

Result<StateRef> make_state(World& world, Algorithm algorithm, size_t key_count) {
  auto state = std::make_shared<MlKemState>(MlKemState{*world.library, algorithm, {}, {}});
  for (size_t i = 0; i < key_count; ++i) {
    KeyPair pair;
    WVDS_ASSIGN(key, crypto::MlKemPrivateKey::generate(*world.library, algorithm, pair.seed));
    pair.private_key = std::move(key);
    state->keys.push_back(std::move(pair));
  }
  const Bytes first_public = state->keys.front().private_key->encapsulation_key();
  WVDS_ASSIGN(stored, crypto::MlKemPublicKey::import(*world.library, algorithm, first_public));
  state->stored_public = std::move(stored);
  return state;
}

void write_secret(const SharedSecret& secret, MutableBytes out) {
  std::memcpy(out.data(), secret.expose().data(), kSharedSecretSize);
}

// fresh_to_encapsulate needs no fresh bytes but the key: what is encapsulated is made by the operation.
Result<Request> fresh_to_encapsulate(MlKemState& state, bool raw) {
  Request made;
  const Bytes key = raw ? state.next_key().private_key->encapsulation_key() : Bytes();
  made.payload.resize(kHeadRoom + key.size());
  // the encoder asks for a key id where there is no raw key; the variants write theirs over it
  WVDS_ASSIGN(size, protocol::encode_mlkem_encaps_request(raw ? 0 : 1, raw ? state.algorithm : Algorithm::kNone, key,
                                                          made.payload));
  made.payload.resize(size);
  made.public_key = {size - key.size(), key.size()};
  made.answer_size = kSharedSecretSize + state.info().kem_ciphertext;
  return made;
}

Result<> encapsulate_in_process(const MlKemState& state, bool raw, Work& work) {
  SharedSecret secret;
  const MutableBytes ciphertext = work.output().subspan(kSharedSecretSize, state.info().kem_ciphertext);
  if (raw) {
    WVDS_ASSIGN(key, crypto::MlKemPublicKey::import(state.library, state.algorithm, work.public_key()));
    WVDS_TRY(key->encapsulate(ciphertext, secret));
  } else {
    WVDS_TRY(state.stored_public->encapsulate(ciphertext, secret));
  }
  write_secret(secret, work.output());
  return {};
}

Result<Case> encaps_case(World& world, Algorithm algorithm, bool raw) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_state(world, algorithm, raw ? kRawKeys : 1));
  WVDS_ASSIGN(stored, import_secret(builder.handle(), algorithm, kUsages, state->keys[0].seed.expose()));
  const uint32_t key = raw ? 0 : stored;
  builder.in_process([state, raw](Work& work) { return encapsulate_in_process(*state, raw, work); });
  builder.hand_over();
  builder.simple([session = builder.handle(), state, key](Work& work) {
    const wvds_public_key to = key != 0 ? wvds_public_key_by_id(key)
                                        : wvds_public_key_raw(static_cast<wvds_algorithm>(state->algorithm),
                                                              sends(work.public_key()), work.public_key().size());
    const MutableBytes ciphertext = work.output().subspan(kSharedSecretSize);
    size_t length = 0;
    return checked(
        wvds_mlkem_encaps(session, receives(work.output()), receives(ciphertext), &length, ciphertext.size(), &to),
        "wvds_mlkem_encaps");
  });
  builder.in_place(WVDS_OP_MLKEM_ENCAPS, key);
  builder.pipeline(WVDS_OP_MLKEM_ENCAPS, key);
  return builder.finish([state, raw] { return fresh_to_encapsulate(*state, raw); });
}

Result<Request> fresh_to_decapsulate(const MlKemState& state) {
  Request made;
  std::array<std::byte, kMaxKemCiphertextSize> room;
  const MutableBytes ciphertext = MutableBytes(room).first(state.info().kem_ciphertext);
  SharedSecret secret;
  WVDS_TRY(state.stored_public->encapsulate(ciphertext, secret));
  made.payload.resize(kHeadRoom + ciphertext.size());
  WVDS_ASSIGN(size, protocol::encode_mlkem_decaps_request(1, ciphertext, made.payload));
  made.payload.resize(size);
  made.data = {size - ciphertext.size(), ciphertext.size()};
  made.answer_size = kSharedSecretSize;
  return made;
}

Result<Case> decaps_case(World& world, Algorithm algorithm) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_state(world, algorithm, 1));
  WVDS_ASSIGN(key, import_secret(builder.handle(), algorithm, kUsages, state->keys[0].seed.expose()));
  builder.in_process([state](Work& work) -> Result<> {
    SharedSecret secret;
    WVDS_TRY(state->keys[0].private_key->decapsulate(work.data(), secret));
    write_secret(secret, work.output());
    return {};
  });
  builder.hand_over();
  builder.simple([session = builder.handle(), key](Work& work) {
    return checked(wvds_mlkem_decaps(session, receives(work.output()), key, sends(work.data()), work.data().size()),
                   "wvds_mlkem_decaps");
  });
  builder.in_place(WVDS_OP_MLKEM_DECAPS, key);
  builder.pipeline(WVDS_OP_MLKEM_DECAPS, key);
  return builder.finish([state] { return fresh_to_decapsulate(*state); });
}

Result<Request> keygen_request(Algorithm algorithm) {
  protocol::MlKemKeygenRequest request;
  request.algorithm = algorithm;
  Request made;
  made.payload.resize(kHeadRoom);
  WVDS_ASSIGN(size, request.encode(made.payload));
  made.payload.resize(size);
  made.answer_size = sizeof(uint32_t) + algorithm_info(algorithm)->public_key;
  return made;
}

struct NewKey {
  crypto::LockedBytes seed;
  std::unique_ptr<crypto::MlKemPrivateKey> key;
  uint32_t id = 0;
};

void add_simple_keygen(CaseBuilder& builder, Algorithm algorithm) {
  auto made = std::make_shared<NewKey>();
  const auto call = [session = builder.handle(), algorithm, made](Work& work) {
    size_t length = 0;
    return checked(wvds_mlkem_keygen(session, &made->id, receives(work.output()), &length, work.output().size(),
                                     static_cast<wvds_algorithm>(algorithm), WVDS_LIFETIME_DEFAULT, 0),
                   "wvds_mlkem_keygen");
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
    WVDS_ASSIGN(key, crypto::MlKemPrivateKey::generate(*library, algorithm, made->seed));
    made->key = std::move(key);
    const Bytes public_key = made->key->encapsulation_key();
    std::memcpy(work.output().data(), public_key.data(), public_key.size());
    return {};
  };
  const auto forget = [made](Work&) -> Result<> {
    *made = NewKey();
    return {};
  };
  builder.in_process(generate, forget);
  builder.hand_over();
  add_simple_keygen(builder, algorithm);
  builder.in_place(WVDS_OP_MLKEM_KEYGEN, 0, deletes_key(builder.session()));
  builder.pipeline(WVDS_OP_MLKEM_KEYGEN, 0, deletes_key(builder.session()));
  return builder.finish([algorithm] { return keygen_request(algorithm); });
}

}  // namespace

std::vector<Definition> mlkem_definitions() {
  constexpr std::pair<const char*, Algorithm> kSets[] = {
      {"mlkem512", Algorithm::kMlKem512}, {"mlkem768", Algorithm::kMlKem768}, {"mlkem1024", Algorithm::kMlKem1024}};
  std::vector<Definition> all;
  for (const auto& [name, algorithm] : kSets) {
    const std::string prefix = std::string(name) + "_";
    const auto add = [&](const char* operation, Effort effort, std::function<Result<Case>(World&)> make) {
      all.push_back({prefix + operation, effort, std::move(make)});
    };
    add("keygen", {48, 40, 4}, [algorithm](World& world) { return keygen_case(world, algorithm); });
    add("encaps_raw", {96, 60, 4}, [algorithm](World& world) { return encaps_case(world, algorithm, true); });
    add("encaps_stored", {96, 60, 4}, [algorithm](World& world) { return encaps_case(world, algorithm, false); });
    add("decaps", {96, 60, 4}, [algorithm](World& world) { return decaps_case(world, algorithm); });
  }
  return all;
}

}  // namespace wvds::bench
