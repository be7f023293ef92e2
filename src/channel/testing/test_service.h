#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "channel/client_end.h"
#include "channel/request.h"
#include "platform/clock.h"

// A service for the channel's tests: it answers each request with the request's first bytes, and tells what happened to
// it.
namespace wvds::channel::testing {

// kWatchdog bounds every wait of a test; nothing is ever measured against it.
inline constexpr std::chrono::seconds kWatchdog{60};
inline TimePoint watchdog() { return platform::monotonic_now() + kWatchdog; }

inline constexpr size_t kEchoSize = 64;

// Journal counts what handlers are told. Shared by all handlers of a factory; any thread.
class Journal {
 public:
  struct Counts {
    int opened = 0;
    int handled = 0;
    int answered = 0;
    int idle = 0;
    int wasted = 0;
    int destroyed = 0;
  };

  void note(int Counts::* what) {
    std::lock_guard lock(mutex_);
    ++(counts_.*what);
    changed_.notify_all();
  }

  Counts counts() {
    std::lock_guard lock(mutex_);
    return counts_;
  }

  // reached waits until a count is at least `value`; false when the watchdog bit.
  bool reached(int Counts::* what, int value) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kWatchdog, [&] { return counts_.*what >= value; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Counts counts_;
};

// Gate keeps whoever passes through it waiting until it is opened.
class Gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool pass() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kWatchdog, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

using Serve = std::function<Verdict(const Request&)>;

inline Verdict echo(const Request& request) {
  std::array<std::byte, kEchoSize> bytes;
  request.area.first(bytes.size()).copy_to(bytes);
  std::memcpy(request.answer.data(), bytes.data(), bytes.size());
  return Verdict::kValid;
}

class TestHandler : public RequestHandler {
 public:
  explicit TestHandler(Journal& journal, Serve serve = echo) : journal_(journal), serve_(std::move(serve)) {
    journal_.note(&Journal::Counts::opened);
  }
  ~TestHandler() override { journal_.note(&Journal::Counts::destroyed); }

  Verdict handle(const Request& request) override {
    const Verdict verdict = serve_(request);
    journal_.note(&Journal::Counts::handled);
    return verdict;
  }
  void answered() override { journal_.note(&Journal::Counts::answered); }
  void idle() override { journal_.note(&Journal::Counts::idle); }
  void wasted_wakeup() override { journal_.note(&Journal::Counts::wasted); }

 private:
  Journal& journal_;
  Serve serve_;
};

class TestFactory : public SessionFactory {
 public:
  explicit TestFactory(Serve serve = echo) : serve_(std::move(serve)) {}

  Result<std::unique_ptr<RequestHandler>> open(const Peer& peer) override {
    last_peer = peer;
    if (refusal != Status::kSuccess) return fail(refusal, "test");
    return std::make_unique<TestHandler>(journal, serve_);
  }

  Journal journal;
  Peer last_peer;                     // of the endpoint's thread
  Status refusal = Status::kSuccess;  // set it before clients come

 private:
  Serve serve_;
};

// put fills the first bytes of a request with a text, taken reads them from an answer.
inline void put(MutableBytes area, const std::string& text) {
  std::memset(area.data(), 0, kEchoSize);
  std::memcpy(area.data(), text.data(), text.size());
}
inline std::string taken(UntrustedBytes answer) {
  char text[kEchoSize + 1] = {};
  answer.first(kEchoSize).copy_to(std::as_writable_bytes(std::span(text).first(kEchoSize)));
  return text;
}

// call makes one round trip; "" and a test failure when it fails.
inline std::string call(ClientEnd& client, const std::string& text) {
  const auto slot = client.acquire();
  if (!slot) {
    ADD_FAILURE() << "acquire: " << status_name(slot.error().status);
    return "";
  }
  put(client.request_area(*slot), text);
  EXPECT_TRUE(client.submit(*slot).has_value());
  const auto answer = client.await(*slot, watchdog());
  std::string text_back;
  if (answer) {
    text_back = taken(*answer);
  } else {
    ADD_FAILURE() << "await: " << status_name(answer.error().status);
  }
  client.release(*slot);
  return text_back;
}

}  // namespace wvds::channel::testing
