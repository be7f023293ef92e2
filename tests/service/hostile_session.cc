#include "service/hostile_session.h"

#include <algorithm>

#include "channel/linux/futex.h"
#include "channel/waiter.h"

namespace wvds::test {

Octets joined(std::initializer_list<Bytes> parts) {
  Octets out;
  for (const Bytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Octets frame_of(protocol::Operation operation, Bytes payload) {
  Octets header(protocol::kFrameHeaderSize);
  protocol::encode_request_header(static_cast<uint8_t>(operation), static_cast<uint32_t>(payload.size()),
                                  std::span(header).first<protocol::kFrameHeaderSize>());
  return joined({header, payload});
}

HostileSession::HostileSession(const Daemon& daemon)
    : client_(daemon.socket_path()),
      ready_(client_.connect()),
      generations_(ready_ ? client_.region().slot_count() : 0) {}

void HostileSession::fill(uint32_t slot, Bytes frame) { std::ranges::copy(frame, request_area(slot)); }

void HostileSession::submit(uint32_t slot) {
  channel::store(region().slot(slot).request_word, ++generations_[slot]);
  if (channel::load(region().control().service_sleeping) != 0) ring();
}

void HostileSession::ring() {
  channel::Word& bell = region().control().service_bell;
  channel::store(bell, channel::load(bell) + 1);
  if (client_.doorbell() < 0) return channel::shared_wake(bell);
  const uint64_t one = 1;
  EXPECT_EQ(write(client_.doorbell(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

// It sleeps as a good client does: a processor that waits is one that can't attack.
void HostileSession::sleep_unless(const std::function<bool()>& answered) {
  channel::Control& control = region().control();
  const channel::Word bell = channel::load(control.client_bell);
  channel::store(control.client_sleeping, 1);
  if (!answered()) channel::shared_wait(control.client_bell, bell, channel::kMaxWaitSlice);
  channel::store(control.client_sleeping, 0);
}

std::optional<HostileAnswer> HostileSession::await(uint32_t slot) {
  const channel::Slot& shared = region().slot(slot);
  const auto answered = [&] { return channel::load(shared.answer_word) == generations_[slot]; };
  if (!reached([&] { return answered() || (sleep_unless(answered), answered()); })) return std::nullopt;
  const auto frame = protocol::AnswerFrame::decode(UntrustedBytes(Bytes(shared.answer_area)));
  if (!frame) return std::nullopt;
  HostileAnswer answer{frame->status, Octets(frame->payload.size())};
  frame->payload.copy_to(answer.payload);
  return answer;
}

HostileAnswer HostileSession::call(Bytes frame) {
  fill(0, frame);
  submit(0);
  const auto answer = await(0);
  EXPECT_TRUE(answer.has_value());
  return answer.value_or(HostileAnswer{});
}

Flipper::Flipper(std::byte* place, std::byte one, std::byte other)
    : thread_([this, place, one, other] {
        const std::atomic_ref<std::byte> byte(*place);
        while (!stop_.load(std::memory_order_relaxed)) {
          byte.store(other, std::memory_order_relaxed);
          byte.store(one, std::memory_order_relaxed);
        }
      }) {}

Flipper::~Flipper() {
  stop_ = true;
  thread_.join();
}

}  // namespace wvds::test
