#pragma once

#include <deque>
#include <optional>

#include "client/session.h"
#include "client/stream_format.h"

namespace wvds::client {

// StreamRequest is one of a pipeline.
struct StreamRequest {
  std::optional<Slot> slot;
  MutableBytes payload;
  protocol::Operation operation{};
  size_t payload_length = 0;
  size_t answer_length = 0;
  ChunkHead chunk;
};

// Pipeline keeps several requests of one session in flight and gives their answers in the order of the requests. A
// request that was answered RATE_LIMITED is sent again after a pause. The destructor gives every slot back.
class Pipeline {
 public:
  explicit Pipeline(const Session& session) : session_(session) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  // reserve takes a slot for the next request; false when there is none before an answer is taken. kBusy when none is
  // in flight either: the caller of the library has them all.
  Result<bool> reserve();

  // payload is the reserved slot's room; submit sends what stands there. An answer of another length than
  // `answer_length` breaks the protocol. `chunk` comes back with the answer.
  MutableBytes payload() const { return reserved_->payload; }
  Result<> submit(protocol::Operation operation, size_t payload_length, size_t answer_length, ChunkHead chunk = {});

  bool empty() const { return sent_.empty(); }

  // answered tells whether front would return at once.
  bool answered() const { return !sent_.empty() && sent_.front().slot->answered(); }

  // front waits for the oldest request's answer, which stays until pop. Not when empty().
  struct Answer {
    UntrustedBytes bytes;
    ChunkHead chunk;
  };
  Result<Answer> front();
  void pop() { sent_.pop_front(); }

 private:
  Result<UntrustedBytes> await(StreamRequest& request);
  Result<> pause();
  Result<> send_refused_again();
  Result<> send_again(StreamRequest& request);

  const Session& session_;
  std::deque<StreamRequest> sent_;
  std::optional<StreamRequest> reserved_;
  std::optional<channel::TimePoint> give_up_at_;  // while requests are refused
  bool is_lost_ = false;                          // no answer will come any more
};

}  // namespace wvds::client
