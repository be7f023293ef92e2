#include <deque>
#include <thread>

#include "bench/aes_state.h"
#include "platform/thread.h"

// How many requests a second, against what limits them: the bare hand-over with the same slots, and the same
// cryptography over bytes that another processor wrote last.
namespace wvds::bench {
namespace {

// bind_apart_from binds the calling thread to a processor other than this one; false when there is none.
bool bind_apart_from(unsigned processor) {
  constexpr unsigned kMostProcessors = 1024;
  for (unsigned other = 0; other < kMostProcessors; ++other) {
    if (other != processor && platform::bind_thread(other)) return true;
  }
  return false;
}

// ForeignBytes encrypts in process what another processor wrote last. A sample is the time per request of a round.
class ForeignBytes : public Variant {
 public:
  explicit ForeignBytes(std::shared_ptr<AesState> state) : state_(std::move(state)) {}

  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    WVDS_TRY(write_elsewhere(requests));
    std::vector<std::byte> output(state_->size + kOverhead);
    Stopwatch watch;
    watch.start();
    for (const auto& plaintext : written_) WVDS_TRY(state_->seal(plaintext, output));
    watch.stop();
    if (!requests.empty()) samples.add(watch.nanoseconds() / static_cast<double>(requests.size()));
    platform::unbind_thread();
    return {};
  }

 private:
  Result<> write_elsewhere(std::span<const Request> requests) {
    unsigned elsewhere = 0;
    written_.resize(requests.size());
    std::thread writer([&] {
      while (!platform::bind_thread(elsewhere)) ++elsewhere;
      for (size_t i = 0; i < requests.size(); ++i) {
        const auto& [offset, length] = requests[i].data;
        const Bytes data = Bytes(requests[i].payload).subspan(offset, length);
        written_[i].assign(data.begin(), data.end());
      }
    });
    writer.join();
    if (!bind_apart_from(elsewhere)) return fail(Status::kUnsupported, "this needs two processors");
    return {};
  }

  std::shared_ptr<AesState> state_;
  std::vector<std::vector<std::byte>> written_;
};

Result<Case> throughput_case(World& world, size_t size) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, size));
  WVDS_ASSIGN(key, import_key(builder, *state));
  builder.add("a_foreign", std::make_unique<ForeignBytes>(state));
  builder.pipelined_hand_over();
  builder.pipeline(WVDS_OP_AES_ENCRYPT, key);
  return builder.finish([state] { return state->fresh_plaintext(); });
}

}  // namespace

std::vector<Definition> throughput_definitions() {
  constexpr std::pair<size_t, Effort> kSizes[] = {
      {64, {2048, 64, 8}}, {1024, {1024, 64, 8}}, {16384, {128, 64, 8}}, {WVDS_AES_MAX_SIZE, {64, 64, 8}}};
  std::vector<Definition> all;
  for (const auto& [size, effort] : kSizes) {
    all.push_back({std::string(kSpeed) + "throughput/" + std::to_string(size), effort,
                   [size](World& world) { return throughput_case(world, size); }});
  }
  return all;
}

}  // namespace wvds::bench
