// The whole service behind the real channel, with a peer that keeps no rule: the input's requests are submitted while a
// thread rewrites the shared region at random, words and areas, also under a request that is being served. The input is
// service_fuzz's script, and its first byte also chooses the writer's numbers. Properties: the service takes what is
// submitted, ends when told to under fire, touches nothing of the region but its words and the areas (what lies between
// is poisoned, the header compared), and answers another client's calls rightly all the while.
#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "channel/inprocess/session.h"
#include "protocol/aes_messages.h"
#include "service/testing/secure_heap_root.h"
#include "service/testing/service_harness.h"

namespace {

using wvds::Bytes;
using wvds::MutableBytes;
using wvds::Status;
using wvds::UntrustedBytes;
using wvds::channel::InProcessSession;
using wvds::channel::Region;
using wvds::channel::RequestHandler;
using wvds::channel::Slot;
using wvds::channel::store;
using wvds::protocol::Operation;
using wvds::service::testing::Buffer;
using wvds::service::testing::Harness;
using wvds::service::testing::TestSession;

constexpr size_t kMaxRequests = 16;
constexpr uint32_t kSlots = 2;
constexpr uint32_t kPeers[] = {1, 2, 1};  // users; two sessions are the same one's
constexpr uint32_t kBystander = 3;

void require(bool holds) {
  if (!holds) std::abort();
}

// Progress is what is known of a session's worker.
class Progress {
 public:
  void handled() {
    change([this] { ++handled_; });
  }
  void ended() {
    change([this] { ended_ = true; });
  }
  uint64_t count() {
    const std::lock_guard lock(mutex_);
    return handled_;
  }
  bool past(uint64_t count, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return handled_ > count; });
  }
  void wait_for_end() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
  }

 private:
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t handled_ = 0;
  bool ended_ = false;
};

// Watched is the service's own handler, which tells how far it is.
class Watched : public RequestHandler {
 public:
  Watched(std::unique_ptr<RequestHandler> handler, std::shared_ptr<Progress> progress)
      : handler_(std::move(handler)), progress_(std::move(progress)) {}
  ~Watched() override {
    handler_.reset();
    progress_->ended();
  }
  wvds::channel::Verdict handle(const wvds::channel::Request& request) override {
    const auto verdict = handler_->handle(request);
    progress_->handled();
    return verdict;
  }
  void answered() override { handler_->answered(); }
  void idle() override { handler_->idle(); }
  void wasted_wakeup() override { handler_->wasted_wakeup(); }

 private:
  std::unique_ptr<RequestHandler> handler_;
  std::shared_ptr<Progress> progress_;
};

std::unique_ptr<InProcessSession> start(Harness& harness, uint32_t uid, unsigned processors,
                                        const std::shared_ptr<Progress>& progress) {
  auto handler = harness.try_open(uid);
  require(handler.has_value());
  auto session = InProcessSession::start(std::make_unique<Watched>(std::move(*handler), progress),
                                         {.slots = kSlots, .processors = processors});
  require(session.has_value());
  return std::move(*session);
}

// Gaps are the bytes of a region that nobody has business with.
class Gaps {
 public:
  explicit Gaps(Region region) : region_(region) {
    each([](const std::byte* from, size_t size) { __asan_poison_memory_region(from, size); });
  }
  ~Gaps() {
    each([](const std::byte* from, size_t size) { __asan_unpoison_memory_region(from, size); });
  }
  Gaps(const Gaps&) = delete;
  Gaps& operator=(const Gaps&) = delete;

 private:
  template <class Do>
  void each(Do act) {
    act(region_.control().unused, sizeof region_.control().unused);
    for (uint32_t i = 0; i < kSlots; ++i) {
      Slot& slot = region_.slot(i);
      const std::byte* after_request = slot.request_area + sizeof slot.request_area;
      act(after_request, reinterpret_cast<const std::byte*>(&slot.answer_word) - after_request);
      const std::byte* after_answer = slot.answer_area + sizeof slot.answer_area;
      act(after_answer, reinterpret_cast<const std::byte*>(&slot + 1) - after_answer);
    }
  }
  Region region_;
};

void put(std::byte& place, uint32_t value) {
  std::atomic_ref(place).store(static_cast<std::byte>(value), std::memory_order_relaxed);
}

// rewrite changes a word or a byte. Small numbers and places near the areas' begin are what a service may believe.
void rewrite(InProcessSession& session, std::minstd_rand& random) {
  const Region region = session.region();
  wvds::channel::Control& control = region.control();
  Slot& slot = region.slot(random() % kSlots);
  const uint32_t value = random() % 4 == 0 ? random() : random() % 4;
  switch (random() % 16) {
    case 0: return store(slot.request_word, value);
    case 1: return store(slot.answer_word, value);
    case 2: return store(control.service_bell, value);
    case 3: return store(control.client_bell, value);
    case 4: return store(control.client_sleeping, value);
    case 5: return store(control.service_sleeping, value);
    case 6: return store(control.client_processor, value);
    case 7: return session.wake();
    case 8: return put(slot.request_area[random() % sizeof slot.request_area], random());
    case 9: return put(slot.answer_area[random() % sizeof slot.answer_area], random());
    case 10: return put(slot.answer_area[random() % 64], random());
    default: return put(slot.request_area[random() % 64], random());
  }
}

// Peer is a session whose region is under fire for as long as it lives.
class Peer {
 public:
  Peer(Harness& harness, uint32_t uid, uint32_t seed)
      : progress_(std::make_shared<Progress>()),
        session_(start(harness, uid, 1 + seed % 2, progress_)),
        gaps_(session_->region()),
        header_(begin(), begin() + sizeof(wvds::channel::Header)),
        writer_([this, random = std::minstd_rand(seed)](const std::stop_token& stop) mutable {
          while (!stop.stop_requested()) rewrite(*session_, random);
        }) {}

  // The worker has to end while the region is being rewritten.
  ~Peer() {
    session_->stop();
    progress_->wait_for_end();
    writer_ = {};
    require(std::equal(header_.begin(), header_.end(), begin()));
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // send submits until something was served: the writer may have taken this submit back.
  void send(uint32_t index, Bytes area) {
    Slot& slot = session_->region().slot(index % kSlots);
    const uint64_t before = progress_->count();
    for (size_t i = 0; i < area.size(); ++i) put(slot.request_area[i], std::to_integer<uint32_t>(area[i]));
    do {
      store(slot.request_word, ++generation_);
      store(session_->region().control().service_bell, generation_);
      session_->wake();
    } while (!progress_->past(before, std::chrono::milliseconds(1)));
  }

 private:
  std::byte* begin() const {
    return reinterpret_cast<std::byte*>(&session_->region().control()) - sizeof(wvds::channel::Header);
  }

  std::shared_ptr<Progress> progress_;
  std::unique_ptr<InProcessSession> session_;
  Gaps gaps_;
  Buffer header_;
  uint32_t generation_ = 100;
  std::jthread writer_;
};

// Bystander is an honest client, over a channel of its own.
class Bystander {
 public:
  explicit Bystander(Harness& harness) : session_(start(harness, kBystander, 2, std::make_shared<Progress>())) {
    key_ = harness.open(kBystander).generate(wvds::Algorithm::kAes256Gcm);
  }

  void check() {
    const Buffer sealed = call(Operation::kAesEncrypt, wvds::as_bytes("the text"));
    require(call(Operation::kAesDecrypt, sealed) == wvds::service::testing::bytes_of("the text"));
  }

 private:
  Buffer call(Operation operation, Bytes input) {
    Buffer head(wvds::protocol::kAesRequestFixedSize);
    require(wvds::protocol::encode_aes_request_head(key_, 0, head).has_value());
    const Buffer frame = wvds::service::testing::request_frame(static_cast<uint8_t>(operation),
                                                               wvds::service::testing::joined({head, input}));
    wvds::channel::ClientEnd& client = session_->client();
    const auto slot = client.acquire();
    require(slot.has_value());
    std::ranges::copy(frame, client.request_area(*slot).begin());
    const auto answer = client.call(*slot, wvds::platform::monotonic_now() + std::chrono::seconds(15));
    require(answer.has_value());
    const auto received = wvds::protocol::AnswerFrame::decode(*answer);
    require(received.has_value() && received->status == Status::kSuccess);
    const Bytes payload = received->payload.in_place();
    Buffer out(payload.begin(), payload.end());
    client.release(*slot);
    return out;
  }

  std::unique_ptr<InProcessSession> session_;
  uint32_t key_ = 0;
};

// World ends with the script, and its threads with it: LeakSanitizer looks for a living thread by the system's number
// for it, finds one that has ended as soon as numbers are used again, and takes what only the living one knows for
// leaked.
struct World {
  Harness harness;
  TestSession owners[2] = {harness.open(1), harness.open(2)};
  Bystander bystander{harness};

  // A key of each kind, with small ids that a script can name.
  World() {
    for (const auto algorithm : {wvds::Algorithm::kAes256Gcm, wvds::Algorithm::kMlDsa44, wvds::Algorithm::kMlKem512,
                                 wvds::Algorithm::kEcdsaP256}) {
      for (TestSession& owner : owners) owner.generate(algorithm);
    }
  }
};

void run(World& world, wvds::Reader script) {
  const uint8_t first = script.left() > 0 ? wvds::Reader(script).u8() : 0;
  std::unique_ptr<Peer> peers[std::size(kPeers)];
  for (size_t i = 0; i < kMaxRequests && script.left() > 3; ++i) {
    const uint8_t who = script.u8() % std::size(kPeers);
    if (!peers[who]) peers[who] = std::make_unique<Peer>(world.harness, kPeers[who], first + 1);
    Buffer area(std::min<size_t>(script.u16(), script.left()));
    script.bytes(area.size()).copy_to(area);
    peers[who]->send(static_cast<uint32_t>(i), area);
    if (i % 4 == 0) world.bystander.check();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  World world;
  wvds::service::testing::show_secure_heap();
  run(world, wvds::Reader(std::as_bytes(std::span(data, size))));
  world.bystander.check();
  return 0;
}
