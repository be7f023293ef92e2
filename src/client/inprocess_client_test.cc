// The C API over the real channel code, with a service on a thread of its own: for ThreadSanitizer, and for what the
// fake service without threads can't show: waiting, pipelining, abandoned slots, and a service that ends.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "channel/inprocess/session.h"
#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

// Door holds the service's answers back while it is closed.
class Door {
 public:
  void close() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  void wait_for_visitor() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ != 0; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
};

// EchoService answers each request with its own payload, behind a door.
class EchoService : public channel::RequestHandler {
 public:
  explicit EchoService(Door& door) : door_(door) {}

  channel::Verdict handle(const channel::Request& request) override {
    const auto received = protocol::RequestFrame::decode(request.area);
    door_.pass();
    const Status status = received ? Status::kSuccess : received.error().status;
    const size_t length = received ? received->payload.size() : 0;
    if (received) received->payload.copy_to(request.answer.subspan(protocol::kFrameHeaderSize));
    protocol::encode_answer_header(status, static_cast<uint32_t>(length),
                                   request.answer.first<protocol::kFrameHeaderSize>());
    return channel::Verdict::kValid;
  }
  void answered() override {}
  void wasted_wakeup() override {}

 private:
  Door& door_;
};

// OwnedEnd is the client's end of an in-process session, together with that session.
class OwnedEnd : public channel::ClientEnd {
 public:
  explicit OwnedEnd(std::shared_ptr<channel::InProcessSession> session) : session_(std::move(session)) {}
  uint32_t slot_count() const override { return session_->client().slot_count(); }
  uint64_t epoch() const override { return session_->client().epoch(); }
  Result<channel::SlotIndex> acquire() override { return session_->client().acquire(); }
  MutableBytes request_area(channel::SlotIndex slot) override { return session_->client().request_area(slot); }
  Result<> submit(channel::SlotIndex slot) override { return session_->client().submit(slot); }
  Result<UntrustedBytes> await(channel::SlotIndex slot, channel::TimePoint deadline) override {
    return session_->client().await(slot, deadline);
  }
  bool answered(channel::SlotIndex slot) override { return session_->client().answered(slot); }
  void release(channel::SlotIndex slot) override { session_->client().release(slot); }

 private:
  std::shared_ptr<channel::InProcessSession> session_;
};

constexpr uint32_t kSlots = 4;
thread_local Door* door_of_this_thread = nullptr;
thread_local std::shared_ptr<channel::InProcessSession> last_session;

Result<std::unique_ptr<channel::ClientEnd>> connect_in_process(const std::string&, channel::TimePoint) {
  channel::InProcessOptions options;
  options.slots = kSlots;
  options.epoch = last_session ? last_session->client().epoch() + 1 : 1;
  WVDS_ASSIGN(session, channel::InProcessSession::start(std::make_unique<EchoService>(*door_of_this_thread), options));
  last_session = std::move(session);
  return std::unique_ptr<channel::ClientEnd>(std::make_unique<OwnedEnd>(last_session));
}

class InProcessClient : public ::testing::Test {
 protected:
  void SetUp() override {
    door_of_this_thread = &door;
    ASSERT_TRUE(open_session(&session, "", &connect_in_process, WVDS_DEFAULT_TIMEOUT));
    ASSERT_EQ(wvds_set_timeout(session, 60'000), WVDS_SUCCESS);
  }
  void TearDown() override {
    door.open();
    EXPECT_EQ(wvds_disconnect(session), WVDS_SUCCESS);
    last_session.reset();
  }

  // begin takes a slot for an echo of `length` bytes of `value`, and submits it.
  wvds_call* send_echo(uint8_t value, size_t length) {
    wvds_call* call = nullptr;
    uint8_t* payload = nullptr;
    EXPECT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_RANDOM, length), WVDS_SUCCESS);
    std::fill_n(payload, length, value);
    EXPECT_EQ(wvds_submit(call), WVDS_SUCCESS);
    return call;
  }

  void expect_echo(wvds_call* call, uint8_t value, size_t length) {
    const uint8_t* out = nullptr;
    size_t out_len = 0;
    ASSERT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
    ASSERT_EQ(wvds_answer(call, &out, &out_len), WVDS_SUCCESS);
    ASSERT_EQ(out_len, length);
    EXPECT_TRUE(std::all_of(out, out + out_len, [value](uint8_t b) { return b == value; }));
    EXPECT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  }

  Door door;
  wvds_session* session = nullptr;
};

TEST_F(InProcessClient, MakesRoundTrips) {
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(wvds_ping(session), WVDS_SUCCESS);
}

TEST_F(InProcessClient, CarriesTheLargestPayload) {
  expect_echo(send_echo(0xA7, WVDS_MAX_REQUEST_PAYLOAD), 0xA7, WVDS_MAX_REQUEST_PAYLOAD);
}

TEST_F(InProcessClient, CollectsSeveralCallsInAnyOrder) {
  for (uint8_t round = 0; round < 50; ++round) {
    std::array<wvds_call*, kSlots> calls{};
    for (uint8_t i = 0; i < kSlots; ++i) calls[i] = send_echo(static_cast<uint8_t>(round + i), 100u + i);
    for (const uint8_t i : {2, 0, 3, 1}) expect_echo(calls[i], static_cast<uint8_t>(round + i), 100u + i);
  }
}

TEST_F(InProcessClient, KeepsACallInFlightAfterATimeout) {
  door.close();
  wvds_call* call = send_echo(1, 10);
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_TIMEOUT);
  EXPECT_EQ(wvds_collect(call, 1), WVDS_TIMEOUT);
  door.open();
  expect_echo(call, 1, 10);
}

TEST_F(InProcessClient, DropsTheLateAnswerOfAnAbandonedCall) {
  door.close();
  wvds_call* late = send_echo(0x11, 10);
  door.wait_for_visitor();
  EXPECT_EQ(wvds_call_release(late), WVDS_SUCCESS);
  std::array<wvds_call*, kSlots - 1> others{};
  for (wvds_call*& call : others) call = send_echo(0x22, 10);
  EXPECT_EQ(wvds_ping(session), WVDS_BUSY);
  door.open();
  for (wvds_call* call : others) expect_echo(call, 0x22, 10);
  for (uint32_t i = 0; i < 2 * kSlots; ++i) expect_echo(send_echo(0x33, 10), 0x33, 10);
}

TEST_F(InProcessClient, LearnsThatTheServiceEndedAndReconnects) {
  std::jthread end([service = last_session] { service->stop(); });
  wvds_status status = WVDS_SUCCESS;
  while (status == WVDS_SUCCESS) status = wvds_ping(session);
  EXPECT_EQ(status, WVDS_DISCONNECTED);
  end.join();
  uint64_t before = 0, after = 0;
  EXPECT_EQ(wvds_epoch(session, &before), WVDS_SUCCESS);
  ASSERT_EQ(wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(wvds_epoch(session, &after), WVDS_SUCCESS);
  EXPECT_NE(before, after);
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
}

TEST_F(InProcessClient, MovesFromThreadToThread) {
  for (int i = 0; i < 4; ++i) {
    std::jthread([this] {
      EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
      expect_echo(send_echo(0x44, 20), 0x44, 20);
    }).join();
  }
}

TEST(InProcessClients, AreIndependentOfEachOther) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      Door door;
      door_of_this_thread = &door;
      wvds_session* session = nullptr;
      ASSERT_TRUE(open_session(&session, "", &connect_in_process, WVDS_DEFAULT_TIMEOUT));
      for (int round = 0; round < 200; ++round) EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
      EXPECT_EQ(wvds_disconnect(session), WVDS_SUCCESS);
      last_session.reset();
    });
  }
}

}  // namespace
}  // namespace wvds::client::testing
