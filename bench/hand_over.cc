#include "bench/hand_over.h"

#include <chrono>
#include <cstring>
#include <deque>

#include "bench/pipeline.h"
#include "platform/clock.h"
#include "protocol/frame.h"

namespace wvds::bench {
namespace {

using channel::ClientEnd;
using channel::SlotIndex;

constexpr auto kTimeout = std::chrono::seconds(5);
constexpr uint8_t kAnyType = 0x50;

void fill(MutableBytes area, Bytes payload) {
  protocol::encode_request_header(kAnyType, static_cast<uint32_t>(payload.size()),
                                  area.first<protocol::kFrameHeaderSize>());
  if (!payload.empty()) std::memcpy(area.data() + protocol::kFrameHeaderSize, payload.data(), payload.size());
}

Result<UntrustedBytes> answer_of(ClientEnd& end, SlotIndex slot, size_t expected_size) {
  WVDS_ASSIGN(area, end.await(slot, platform::monotonic_now() + kTimeout));
  WVDS_ASSIGN(answer, protocol::AnswerFrame::decode(area));
  if (answer.status != Status::kSuccess || answer.payload.size() != expected_size) {
    return fail(Status::kProtocolError, "an answer of the wrong size");
  }
  return answer.payload;
}

Result<UntrustedBytes> exchange(ClientEnd& end, SlotIndex slot, size_t expected_size) {
  WVDS_TRY(end.submit(slot));
  return answer_of(end, slot, expected_size);
}

class HandOver : public Variant {
 public:
  HandOver(EchoProcess& echo, EchoEnd end) : echo_(echo), end_(std::move(end)) {}

  Result<> wake() override {
    constexpr int kCalls = 500;
    echo_.set_answer_size(0);
    for (int i = 0; i < kCalls; ++i) {
      WVDS_ASSIGN(slot, end_->acquire());
      fill(end_->request_area(slot), {});
      WVDS_TRY(exchange(*end_, slot, 0));
      end_->release(slot);
    }
    return {};
  }

  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    if (!requests.empty()) answer_sizes(requests.front());
    return Variant::measure(requests, samples);
  }

 protected:
  ClientEnd& end() { return *end_; }
  void answer_sizes(const Request& request) { echo_.set_answer_size(static_cast<uint32_t>(request.answer_size)); }

 private:
  EchoProcess& echo_;
  EchoEnd end_;
};

class CopiedHandOver : public HandOver {
 public:
  using HandOver::HandOver;

 protected:
  Result<> once(Work& work, Stopwatch& watch) override {
    watch.start();
    WVDS_ASSIGN(slot, end().acquire());
    fill(end().request_area(slot), work.payload());
    WVDS_ASSIGN(answer, exchange(end(), slot, work.answer_size()));
    answer.copy_to(work.output());
    end().release(slot);
    watch.stop();
    return {};
  }
};

class InPlaceHandOver : public HandOver {
 public:
  using HandOver::HandOver;

 protected:
  Result<> once(Work& work, Stopwatch& watch) override {
    watch.start();
    WVDS_ASSIGN(slot, end().acquire());
    watch.stop();
    fill(end().request_area(slot), work.payload());
    watch.start();
    WVDS_ASSIGN(answer, exchange(end(), slot, work.answer_size()));
    read_all(answer.in_place());
    end().release(slot);
    watch.stop();
    return {};
  }
};

class PipelinedHandOver : public HandOver {
 public:
  using HandOver::HandOver;

  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    if (requests.empty()) return {};
    answer_sizes(requests.front());
    return run_pipeline<SlotIndex>(
        requests, end().slot_count(), samples,
        [this](const Request& request, std::deque<SlotIndex>& in_flight) { return send(request, in_flight); },
        [this](const Request& request, std::deque<SlotIndex>& in_flight) { return receive(request, in_flight); });
  }

 private:
  Result<> send(const Request& request, std::deque<SlotIndex>& in_flight) {
    WVDS_ASSIGN(slot, end().acquire());
    fill(end().request_area(slot), request.payload);
    WVDS_TRY(end().submit(slot));
    in_flight.push_back(slot);
    return {};
  }

  Result<> receive(const Request& request, std::deque<SlotIndex>& in_flight) {
    const SlotIndex slot = in_flight.front();
    WVDS_ASSIGN(answer, answer_of(end(), slot, request.answer_size));
    read_all(answer.in_place());
    end().release(slot);
    in_flight.pop_front();
    return {};
  }
};

}  // namespace

std::unique_ptr<Variant> pipelined_hand_over(EchoProcess& echo, EchoEnd end) {
  return std::make_unique<PipelinedHandOver>(echo, std::move(end));
}

std::unique_ptr<Variant> copied_hand_over(EchoProcess& echo, EchoEnd end) {
  return std::make_unique<CopiedHandOver>(echo, std::move(end));
}

std::unique_ptr<Variant> in_place_hand_over(EchoProcess& echo, EchoEnd end) {
  return std::make_unique<InPlaceHandOver>(echo, std::move(end));
}

}  // namespace wvds::bench
