#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/session.h"
#include "protocol/testing/hex.h"

// A service for tests of the C API, without threads and without waiting: a request is answered when its answer is
// awaited.
namespace wvds::client::testing {

using protocol::testing::Buffer;
using protocol::testing::hex;
using protocol::testing::join;
using protocol::testing::repeated;
using protocol::testing::text;

// frame is an answer as a well-behaved service sends it; any other bytes may be sent instead.
inline Buffer frame(const Buffer& payload, Status status = Status::kSuccess) {
  Buffer head(protocol::kFrameHeaderSize);
  protocol::encode_answer_header(status, static_cast<uint32_t>(payload.size()),
                                 std::span(head).first<protocol::kFrameHeaderSize>());
  return join({head, payload});
}

struct Seen {
  uint8_t type = 0;
  Buffer payload;
  Buffer frame{};  // all of it
};

struct FakeService {
  std::function<Buffer(const Seen&)> answer = [](const Seen&) { return frame({}); };
  std::vector<Seen> seen;
  uint32_t slots = 2;
  uint64_t epoch = 1;
  bool gone = false;                  // the service died
  bool silent = false;                // answers come late: each await times out
  Status refuses = Status::kSuccess;  // what connecting is answered with
  std::string address;                // where the client connected
  size_t connections = 0;
  size_t busy_slots = 0;
  std::function<void()> scribble = [] {};  // writes over every answer, as a hostile service may at any time

  void answers(const Buffer& payload, Status status = Status::kSuccess) {
    answer = [payload, status](const Seen&) { return frame(payload, status); };
  }
  void answers_raw(const Buffer& bytes) {
    answer = [bytes](const Seen&) { return bytes; };
  }
};

class FakeEnd : public channel::ClientEnd {
 public:
  explicit FakeEnd(FakeService& service) : service_(service), slots_(service.slots) {
    for (Slot& slot : slots_) slot.request.resize(protocol::kRequestArea);
    service_.scribble = [this] {
      for (Slot& slot : slots_) std::ranges::fill(slot.answer, std::byte{0xEE});
    };
  }
  ~FakeEnd() override {
    service_.scribble = [] {};
    for (channel::SlotIndex i = 0; i < slots_.size(); ++i) release(i);
  }

  uint32_t slot_count() const override { return static_cast<uint32_t>(slots_.size()); }
  uint64_t epoch() const override { return service_.epoch; }

  Result<channel::SlotIndex> acquire() override {
    if (service_.gone) return fail(Status::kDisconnected);
    for (channel::SlotIndex i = 0; i < slots_.size(); ++i) {
      if (slots_[i].state != State::kFree) continue;
      slots_[i].state = State::kAcquired;
      ++service_.busy_slots;
      return i;
    }
    return fail(Status::kBusy);
  }

  MutableBytes request_area(channel::SlotIndex slot) override { return slots_.at(slot).request; }

  Result<> submit(channel::SlotIndex slot) override {
    EXPECT_EQ(slots_.at(slot).state, State::kAcquired);
    if (service_.gone) return fail(Status::kDisconnected);
    slots_[slot].state = State::kSubmitted;
    return {};
  }

  Result<UntrustedBytes> await(channel::SlotIndex index, channel::TimePoint) override {
    Slot& slot = slots_.at(index);
    EXPECT_TRUE(slot.state == State::kSubmitted || slot.state == State::kAnswered);
    if (slot.state == State::kSubmitted) {
      if (service_.gone) return fail(Status::kDisconnected);
      if (service_.silent) return fail(Status::kTimeout);
      slot.answer = serve(slot.request);
      slot.answer.resize(protocol::kAnswerArea);
      slot.state = State::kAnswered;
    }
    return UntrustedBytes(Bytes(slot.answer));
  }

  bool answered(channel::SlotIndex slot) override { return slots_.at(slot).state == State::kAnswered; }

  // A slot in flight is abandoned: the fake never finishes it, so that it stays busy.
  void release(channel::SlotIndex index) override {
    Slot& slot = slots_.at(index);
    if (slot.state == State::kFree || slot.state == State::kAbandoned) return;
    if (slot.state == State::kSubmitted) {
      slot.state = State::kAbandoned;
      return;
    }
    slot.state = State::kFree;
    --service_.busy_slots;
  }

 private:
  enum class State { kFree, kAcquired, kSubmitted, kAnswered, kAbandoned };
  struct Slot {
    State state = State::kFree;
    Buffer request;
    Buffer answer;
  };

  Buffer serve(const Buffer& request) {
    const auto received = protocol::RequestFrame::decode(UntrustedBytes(Bytes(request)));
    EXPECT_TRUE(received);
    if (!received) return frame({}, received.error().status);
    const Bytes whole = Bytes(request).first(protocol::kFrameHeaderSize + received->payload.size());
    service_.seen.push_back(
        {received->type, protocol::testing::copy_of(received->payload), Buffer(whole.begin(), whole.end())});
    return service_.answer(service_.seen.back());
  }

  FakeService& service_;
  std::vector<Slot> slots_;
};

// connect_to_fake is a Connector; it finds the service of the running test.
inline FakeService* fake_service = nullptr;

inline Result<std::unique_ptr<channel::ClientEnd>> connect_to_fake(const std::string& address, channel::TimePoint) {
  fake_service->address = address;
  if (fake_service->refuses != Status::kSuccess) return fail(fake_service->refuses);
  ++fake_service->connections;
  fake_service->gone = false;
  return std::unique_ptr<channel::ClientEnd>(std::make_unique<FakeEnd>(*fake_service));
}

// ClientTest has a session with a fake service.
class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fake_service = &service;
    ASSERT_TRUE(open_session(&session, "somewhere", &connect_to_fake, WVDS_DEFAULT_TIMEOUT));
  }
  void TearDown() override {
    if (session != nullptr) {
      EXPECT_EQ(wvds_disconnect(session), WVDS_SUCCESS);
    }
    fake_service = nullptr;
  }

  // sent is the payload of the last request.
  const Buffer& sent() const { return service.seen.back().payload; }
  uint8_t sent_type() const { return service.seen.back().type; }

  FakeService service;
  wvds_session* session = nullptr;
};

inline const uint8_t* data(const Buffer& bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

// Room is a caller's buffer with what a call left in it. It starts out dirty, so that a wipe shows.
class Room {
 public:
  explicit Room(size_t size) : bytes_(size, 0xEE) {}
  uint8_t* out() { return bytes_.data(); }
  size_t* len() { return &len_; }
  size_t max() const { return bytes_.size(); }
  size_t reported() const { return len_; }

  Buffer filled() const {
    const Bytes bytes = std::as_bytes(std::span(bytes_)).first(len_);
    return {bytes.begin(), bytes.end()};
  }
  bool wiped() const {
    return len_ == 0 && std::ranges::all_of(bytes_, [](uint8_t b) { return b == 0; });
  }
  bool untouched() const {
    return std::ranges::all_of(bytes_, [](uint8_t b) { return b == 0xEE; });
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t len_ = 99;
};

}  // namespace wvds::client::testing
