#include "ossl_provider/sessions.h"

#include <chrono>
#include <utility>

#include "ossl_provider/errors.h"
#include "ossl_provider/provider.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace wvds::ossl_provider {
namespace {

// After the first refusal the service refuses everything for its cool-down, by default 100 ms.
constexpr std::chrono::milliseconds kRateLimitPause{20};
constexpr std::chrono::seconds kRateLimitPatience{5};

// useless tells after which errors a session is closed instead of kept.
bool useless(const Result<>& result) {
  return !result && (result.error().status == Status::kDisconnected || result.error().status == Status::kProtocolError);
}

}  // namespace

Sessions::Sessions(std::string address) : address_(std::move(address)) { idle_.reserve(kMaxSessions); }

Sessions::~Sessions() {
  for (wvds_session* session : idle_) wvds_disconnect(session);
}

std::string Sessions::place() const {
  return address_.empty() ? "the crypto service at its default address" : "the crypto service at " + address_;
}

Result<wvds_session*> Sessions::connect() {
  wvds_session* session = nullptr;
  const wvds_status status =
      wvds_connect(&session, address_.empty() ? nullptr : address_.c_str(), WVDS_DEFAULT_TIMEOUT);
  if (status != WVDS_SUCCESS) return service_failure(status, "no session with " + place());
  return session;
}

// The service allows a client so many sessions: where another one is open, it is worth waiting for.
Result<wvds_session*> Sessions::take() {
  std::unique_lock lock(mutex_);
  for (bool may_open = true;;) {
    changed_.wait(lock, [&] { return !idle_.empty() || open_ == 0 || (may_open && open_ < kMaxSessions); });
    if (!idle_.empty()) {
      wvds_session* session = idle_.back();
      idle_.pop_back();
      return session;
    }
    ++open_;
    lock.unlock();
    auto session = connect();
    if (session) return session;
    lock.lock();
    --open_;
    changed_.notify_all();
    if (session.error().status != Status::kLimitReached || open_ == 0) return session;
    may_open = false;
  }
}

void Sessions::give_back(wvds_session* session) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(session);
  changed_.notify_one();
}

void Sessions::drop(wvds_session* session) {
  wvds_disconnect(session);
  const std::lock_guard lock(mutex_);
  --open_;
  changed_.notify_all();
}

Result<> Sessions::attempt(wvds_session* session, const Work& work) {
  const auto give_up_at = platform::monotonic_now() + kRateLimitPatience;
  Result<> done = work(session);
  while (!done && done.error().status == Status::kRateLimited && platform::monotonic_now() < give_up_at) {
    platform::sleep_for(kRateLimitPause);
    done = work(session);
  }
  return done;
}

// Lease is a session in use: kept for the next one only when that is said.
struct Sessions::Lease {
  Sessions& sessions;
  wvds_session* session;
  bool keep = false;
  ~Lease() { keep ? sessions.give_back(session) : sessions.drop(session); }
};

Result<> Sessions::with(const Work& work) {
  WVDS_ASSIGN(session, take());
  Lease lease{*this, session};
  Result<> done = attempt(session, work);
  if (!done && done.error().status == Status::kDisconnected) {
    const wvds_status status = wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT);
    if (status != WVDS_SUCCESS) return service_failure(status, "no session any more with " + place());
    done = attempt(session, work);
  }
  lease.keep = !useless(done);
  return done;
}

struct SessionPools::Generation {
  uint64_t process = 0;
  const Generation* inherited = nullptr;  // of the parent process
  std::mutex mutex{};
  std::map<std::string, std::unique_ptr<Sessions>> pools{};
};

SessionPools::SessionPools(ProcessNumber process_number) : process_number_(process_number), current_(new Generation) {
  current_.load()->process = process_number_();
}

SessionPools::~SessionPools() {
  Generation* generation = current_.load();
  if (generation->process == process_number_()) delete generation;
}

// The parent's locks may be held for ever in a child, so nothing of what was inherited is touched.
SessionPools::Generation& SessionPools::current() {
  Generation* generation = current_.load();
  const uint64_t process = process_number_();
  if (generation->process == process) return *generation;
  auto fresh = std::make_unique<Generation>();
  fresh->process = process;
  fresh->inherited = generation;
  if (current_.compare_exchange_strong(generation, fresh.get())) return *fresh.release();
  return *generation;
}

Sessions& SessionPools::of(const std::string& address) {
  Generation& generation = current();
  const std::lock_guard lock(generation.mutex);
  auto& sessions = generation.pools[address];
  if (!sessions) sessions = std::make_unique<Sessions>(address);
  return *sessions;
}

}  // namespace wvds::ossl_provider
