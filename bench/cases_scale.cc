#include <chrono>
#include <random>
#include <thread>

#include "bench/aes_state.h"
#include "protocol/mlkem_messages.h"

// Many keys, many sessions, keys whose uses are counted on disk, keys from the pool.
namespace wvds::bench {
namespace {

constexpr size_t kSize = 64;

Result<uint32_t> generate_key(wvds_session* session, wvds_lifetime lifetime) {
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.lifetime = lifetime;
  uint32_t id = 0;
  WVDS_TRY(checked(wvds_key_generate(session, &id, nullptr, nullptr, 0, &wanted), "wvds_key_generate"));
  return id;
}

Result<std::vector<uint32_t>> generate_keys(wvds_session* session, size_t count) {
  std::vector<uint32_t> ids;
  while (ids.size() < count) {
    WVDS_ASSIGN(id, generate_key(session, WVDS_LIFETIME_SESSION));
    ids.push_back(id);
  }
  return ids;
}

// keys_case: `count` keys exist; requests take one of kUsed of them by chance, or one that was never used before.
Result<Case> keys_case(World& world, size_t count) {
  constexpr size_t kUsed = 64;
  constexpr size_t kEnoughForFirstUses = 10'000;
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, kSize));
  WVDS_ASSIGN(ids, generate_keys(builder.handle(), count));
  const size_t used = std::min(kUsed, count);
  Work work;
  WVDS_ASSIGN(request, state->fresh_plaintext());
  work.load(request);
  for (size_t i = 0; i < used; ++i) WVDS_TRY(AesState::encrypt(builder.handle(), ids[i * (count / used)], work));
  builder.simple([session = builder.handle(), ids, used, random = std::minstd_rand()](Work& work) mutable {
    return AesState::encrypt(session, ids[random() % used * (ids.size() / used)], work);
  });
  if (count < kEnoughForFirstUses) return builder.finish([state] { return state->fresh_plaintext(); });
  const auto first_use = [session = builder.handle(), ids, next = size_t{0}](Work& work) mutable {
    return AesState::encrypt(session, ids[next++ % ids.size()], work);
  };
  builder.add("first", simple_call(builder.session(), first_use));
  return builder.finish([state] { return state->fresh_plaintext(); });
}

// sessions_case: so many sessions, each of which has made a request. One goes on; or they take turns, so that each is
// asleep when its turn comes.
Result<Case> sessions_case(World& world, size_t count) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, kSize));
  std::vector<std::pair<SessionRef, uint32_t>> all;
  while (all.size() < count) {
    WVDS_ASSIGN(session, Session::connect(world.service->address()));
    WVDS_ASSIGN(id, import_secret(session->handle(), Algorithm::kAes256Gcm, 0, state->key));
    all.emplace_back(std::move(session), id);
  }
  builder.add("c", simple_call(all.front().first, [all](Work& work) {
                return AesState::encrypt(all.front().first->handle(), all.front().second, work);
              }));
  builder.add("turns", simple_call(all.front().first, [all, next = size_t{0}](Work& work) mutable {
                const auto& [session, key] = all[next++ % all.size()];
                return AesState::encrypt(session->handle(), key, work);
              }));
  return builder.finish([state] { return state->fresh_plaintext(); });
}

// stored_key_case: a key in memory, and one on disk whose uses are reserved there ahead.
Result<Case> stored_key_case(World& world) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, kSize));
  WVDS_ASSIGN(in_memory, generate_key(builder.handle(), WVDS_LIFETIME_SESSION));
  WVDS_ASSIGN(on_disk, generate_key(builder.handle(), WVDS_LIFETIME_PERSISTENT));
  const auto encrypt = [session = builder.handle()](uint32_t key) {
    return [session, key](Work& work) { return AesState::encrypt(session, key, work); };
  };
  builder.simple(encrypt(in_memory));
  builder.add("stored", simple_call(builder.session(), encrypt(on_disk)));
  return builder.finish([state] { return state->fresh_plaintext(); });
}

// AfterPause lets the service fill its pool before each round.
class AfterPause : public Variant {
 public:
  explicit AfterPause(std::unique_ptr<Variant> inner) : inner_(std::move(inner)) {}

  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    WVDS_TRY(inner_->wake());
    return inner_->measure(requests, samples);
  }

 private:
  std::unique_ptr<Variant> inner_;
};

Result<Case> pooled_keygen_case(World& world, Algorithm algorithm) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  auto id = std::make_shared<uint32_t>(0);
  const auto keygen = [session = builder.handle(), algorithm, id](Work& work) {
    size_t length = 0;
    return checked(wvds_mlkem_keygen(session, id.get(), receives(work.output()), &length, work.output().size(),
                                     static_cast<wvds_algorithm>(algorithm), WVDS_LIFETIME_DEFAULT, 0),
                   "wvds_mlkem_keygen");
  };
  const auto forget = [session = builder.handle(), id](Work&) {
    return checked(wvds_key_delete(session, *id, 0), "wvds_key_delete");
  };
  builder.add("c", std::make_unique<AfterPause>(simple_call(builder.session(), keygen, forget)));
  return builder.finish([] { return Result<Request>(Request{}); });
}

void add(std::vector<Definition>& all, const std::string& name, Effort effort,
         std::function<Result<Case>(World&)> make) {
  all.push_back({std::string(kSpeed) + name, effort, std::move(make)});
}

}  // namespace

std::vector<Definition> scale_definitions() {
  std::vector<Definition> all;
  for (const size_t count : {1, 16, 256, 4096, 65536}) {
    add(all, "keys/" + std::to_string(count), {64, 64}, [count](World& world) { return keys_case(world, count); });
  }
  for (const size_t count : {1, 16, 64, 256}) {
    add(all, "sessions/" + std::to_string(count), {256, 32},
        [count](World& world) { return sessions_case(world, count); });
  }
  add(all, "stored_key", {2048, 200, 4}, stored_key_case);
  constexpr std::pair<const char*, Algorithm> kSets[] = {{"mlkem512_keygen_pooled", Algorithm::kMlKem512},
                                                         {"mlkem768_keygen_pooled", Algorithm::kMlKem768},
                                                         {"mlkem1024_keygen_pooled", Algorithm::kMlKem1024}};
  constexpr Effort kPooled{16, 20};  // as many requests a round as the pool has keys of an algorithm
  for (const auto& [name, algorithm] : kSets) {
    add(all, name, kPooled, [algorithm](World& world) { return pooled_keygen_case(world, algorithm); });
  }
  return all;
}

}  // namespace wvds::bench
