#include "client/stream_pipeline.h"

#include <algorithm>

#include "client/arguments.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace wvds::client {
namespace {

// One request is worked on while the next lies there and the answers before are taken; one more for unsteady callers.
constexpr size_t kDepth = 4;

// The service's cool-down unless it was configured otherwise. To ask again before it ends does not make it longer.
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

// What is in flight is waited for, so that its slot is free when the function returns.
Pipeline::~Pipeline() {
  reserved_.reset();
  const channel::TimePoint deadline = session_.deadline(WVDS_DEFAULT_TIMEOUT);
  for (StreamRequest& request : sent_) {
    if (!is_lost_ && request.slot) static_cast<void>(request.slot->await(deadline));
    request.slot.reset();
  }
}

Result<bool> Pipeline::reserve() {
  if (sent_.size() >= kDepth) return false;
  auto slot = session_.acquire();
  if (!slot && slot.error().status == Status::kBusy && !sent_.empty()) return false;
  if (!slot) return fail(slot.error().status);
  StreamRequest& request = reserved_.emplace();
  request.slot.emplace(std::move(*slot));
  request.payload = request.slot->payload();
  return true;
}

Result<> Pipeline::submit(protocol::Operation operation, size_t payload_length, size_t answer_length, ChunkHead chunk) {
  reserved_->operation = operation;
  reserved_->payload_length = payload_length;
  reserved_->answer_length = answer_length;
  reserved_->chunk = chunk;
  WVDS_TRY(reserved_->slot->submit(operation, payload_length));
  sent_.push_back(std::move(*reserved_));
  reserved_.reset();
  return {};
}

Result<UntrustedBytes> Pipeline::await(StreamRequest& request) {
  auto answer = request.slot->await(session_.deadline(WVDS_DEFAULT_TIMEOUT));
  if (!answer && (answer.error().status == Status::kTimeout || answer.error().status == Status::kDisconnected)) {
    is_lost_ = true;
  }
  return answer;
}

Result<Pipeline::Answer> Pipeline::front() {
  for (;;) {
    StreamRequest& oldest = sent_.front();
    const auto answer = await(oldest);
    if (answer) {
      give_up_at_.reset();
      WVDS_TRY(require_of_service(answer->size() == oldest.answer_length));
      return Answer{*answer, oldest.chunk};
    }
    if (answer.error().status != Status::kRateLimited) return fail(answer.error().status);
    WVDS_TRY(pause());
    WVDS_TRY(send_refused_again());
  }
}

Result<> Pipeline::pause() {
  const channel::TimePoint now = platform::monotonic_now();
  if (!give_up_at_) give_up_at_ = session_.deadline(WVDS_DEFAULT_TIMEOUT);
  if (now >= *give_up_at_) return fail(Status::kRateLimited);
  platform::sleep_for(std::min<channel::TimePoint::duration>(kPause, *give_up_at_ - now));
  return {};
}

// What was refused was refused together: one pause is enough for all.
Result<> Pipeline::send_refused_again() {
  for (StreamRequest& request : sent_) {
    const auto answer = await(request);
    if (!answer && answer.error().status == Status::kRateLimited) WVDS_TRY(send_again(request));
  }
  return {};
}

// A refused request was not looked at, and nobody but the service could write to its slot since.
Result<> Pipeline::send_again(StreamRequest& request) {
  request.slot.reset();
  WVDS_ASSIGN(slot, session_.acquire());
  const MutableBytes place = slot.payload();
  if (place.data() != request.payload.data()) {
    copy_bytes(request.payload.first(request.payload_length), place.first(request.payload_length));
  }
  request.slot.emplace(std::move(slot));
  request.payload = place;
  return request.slot->submit(request.operation, request.payload_length);
}

}  // namespace wvds::client
