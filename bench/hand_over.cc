#include "bench/hand_over.h"

#include <chrono>
#include <cstring>

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

Result<UntrustedBytes> exchange(ClientEnd& end, SlotIndex slot, size_t expected_size) {
  WVDS_TRY(end.submit(slot));
  WVDS_ASSIGN(area, end.await(slot, platform::monotonic_now() + kTimeout));
  WVDS_ASSIGN(answer, protocol::AnswerFrame::decode(area));
  if (answer.status != Status::kSuccess || answer.payload.size() != expected_size) {
    return fail(Status::kProtocolError, "an answer of the wrong size");
  }
  return answer.payload;
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
    if (!requests.empty()) echo_.set_answer_size(static_cast<uint32_t>(requests.front().answer_size));
    return Variant::measure(requests, samples);
  }

 protected:
  ClientEnd& end() { return *end_; }

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

}  // namespace

std::unique_ptr<Variant> copied_hand_over(EchoProcess& echo, EchoEnd end) {
  return std::make_unique<CopiedHandOver>(echo, std::move(end));
}

std::unique_ptr<Variant> in_place_hand_over(EchoProcess& echo, EchoEnd end) {
  return std::make_unique<InPlaceHandOver>(echo, std::move(end));
}

}  // namespace wvds::bench
