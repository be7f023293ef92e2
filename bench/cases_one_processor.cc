#include "bench/aes_state.h"
#include "platform/thread.h"

// Client and worker on one processor against each on its own: what src/channel/pairing.h decides between.
namespace wvds::bench {
namespace {

// Bound binds the calling thread to one and the same processor for as long as it lives.
class Bound {
 public:
  Bound() {
    unsigned processor = 0;
    while (!platform::bind_thread(processor)) ++processor;
  }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;
  ~Bound() { platform::unbind_thread(); }
};

// BoundVariant does everything while bound.
class BoundVariant : public Variant {
 public:
  explicit BoundVariant(std::unique_ptr<Variant> inner) : inner_(std::move(inner)) {}

  Result<> wake() override {
    const Bound bound;
    return inner_->wake();
  }
  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    const Bound bound;
    return inner_->measure(requests, samples);
  }

 private:
  std::unique_ptr<Variant> inner_;
};

std::unique_ptr<Variant> bound(std::unique_ptr<Variant> inner) {
  return std::make_unique<BoundVariant>(std::move(inner));
}

Result<Case> one_processor_case(World& world, size_t size) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, size));
  WVDS_ASSIGN(key, import_key(builder, *state));
  const auto encrypt = [key](const SessionRef& session) {
    return [session, key](Work& work) { return AesState::encrypt(session->handle(), key, work); };
  };
  builder.hand_over();
  builder.simple(encrypt(builder.session()));

  const Bound connecting;  // a session learns where its client is bound when it connects
  WVDS_ASSIGN(session, Session::connect(world.service->address()));
  WVDS_ASSIGN(bound_key, import_secret(session->handle(), Algorithm::kAes256Gcm, 0, state->key));
  WVDS_ASSIGN(echo_end, world.echo->connect());
  builder.add("b_one", bound(copied_hand_over(*world.echo, echo_end)));
  builder.add("c_one", bound(simple_call(session, [session, bound_key](Work& work) {
                return AesState::encrypt(session->handle(), bound_key, work);
              })));
  return builder.finish([state] { return state->fresh_plaintext(); });
}

}  // namespace

std::vector<Definition> one_processor_definitions() {
  constexpr std::pair<size_t, Effort> kSizes[] = {{64, {256, 32, 4}},
                                                  {1024, {256, 32, 4}},
                                                  {4096, {128, 32, 4}},
                                                  {8192, {128, 32, 4}},
                                                  {16384, {96, 32, 4}},
                                                  {32768, {64, 32, 4}},
                                                  {WVDS_AES_MAX_SIZE, {48, 48, 4}}};
  std::vector<Definition> all;
  for (const auto& [size, effort] : kSizes) {
    all.push_back({std::string(kSpeed) + "one_processor/" + std::to_string(size), effort,
                   [size](World& world) { return one_processor_case(world, size); }});
  }
  return all;
}

}  // namespace wvds::bench
