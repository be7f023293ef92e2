#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channel/client_end.h"
#include "protocol/frame.h"
#include "protocol/operations.h"
#include "wvds_crypto.h"

// The handles of the C API.
namespace wvds::client {

inline constexpr uint32_t kDefaultTimeoutMs = 5000;

// Slot owns one acquired slot of a session from acquire to its end. Must not outlive the channel's end.
class Slot {
 public:
  static Result<Slot> acquire(channel::ClientEnd& end);
  Slot(Slot&& other) noexcept : end_(std::exchange(other.end_, nullptr)), index_(other.index_) {}
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (end_ != nullptr) end_->release(index_);
  }

  // payload is the room for a request's payload.
  MutableBytes payload() const { return end_->request_area(index_).subspan(protocol::kFrameHeaderSize); }

  // submit writes the frame's header and hands the slot to the service.
  Result<> submit(protocol::Operation operation, size_t payload_length);

  // call is submit and await in one.
  Result<UntrustedBytes> call(protocol::Operation operation, size_t payload_length, channel::TimePoint deadline);

  // await blocks until the answer is there and gives its payload, in place; an answer with an error status is that
  // error. kTimeout, kDisconnected and kProtocolError are this side's.
  Result<UntrustedBytes> await(channel::TimePoint deadline);

  // answered tells whether await would return at once.
  bool answered() const { return end_->answered(index_); }

 private:
  Slot(channel::ClientEnd& end, channel::SlotIndex index) : end_(&end), index_(index) {}

  void write_header(protocol::Operation operation, size_t payload_length);

  channel::ClientEnd* end_;
  channel::SlotIndex index_;
};

using Connector = Result<std::unique_ptr<channel::ClientEnd>> (*)(const std::string& address,
                                                                  channel::TimePoint deadline);

// AnswerSize bounds the length of an answer's payload.
struct AnswerSize {
  size_t at_least = 0;
  size_t at_most = protocol::kMaxAnswerPayload;

  static AnswerSize exactly(size_t size) { return {size, size}; }
  bool fits(size_t size) const { return size >= at_least && size <= at_most; }
};

class Session {
 public:
  Session(std::string address, Connector connector);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // connect ends what there was and connects anew.
  Result<> connect(uint32_t timeout_ms);

  Result<> set_timeout(uint32_t timeout_ms);
  uint64_t epoch() const { return epoch_; }

  // deadline is `timeout_ms` from now; WVDS_DEFAULT_TIMEOUT means the session's timeout.
  channel::TimePoint deadline(uint32_t timeout_ms) const;

  // acquire is kDisconnected when there is no connection, kBusy when every slot is in use.
  Result<Slot> acquire() const;

  // exchange submits what lies in `slot` and waits for the answer, for the simple calls.
  Result<UntrustedBytes> exchange(Slot& slot, protocol::Operation operation, size_t payload_length) const;

  // open_call moves a slot with its payload written into a handle for the caller.
  wvds_call* open_call(Slot slot, protocol::Operation operation, size_t payload_length, AnswerSize answer);

 private:
  wvds_call& free_call();
  void close_calls();

  const std::string address_;
  const Connector connector_;
  uint32_t timeout_ms_ = kDefaultTimeoutMs;
  uint64_t epoch_ = 0;
  std::unique_ptr<channel::ClientEnd> end_;
  std::vector<std::unique_ptr<wvds_call>>
      calls_;  // kept for the session's life, so that a released handle is still memory
};

// open_session connects; session_of and call_of refuse NULL and what is no live handle, as far as its memory tells.
Result<> open_session(wvds_session** out, std::string address, Connector connector, uint32_t timeout_ms);
void close_session(wvds_session* session);
Result<Session*> session_of(wvds_session* session);
Result<wvds_call*> call_of(wvds_call* call);

}  // namespace wvds::client

struct wvds_session {
  uint32_t magic;
  wvds::client::Session session;
};

struct wvds_call {
  enum class State : uint8_t { kFree, kOpen, kSubmitted, kDone };

  uint32_t magic = 0;
  State state = State::kFree;
  const wvds::client::Session* session = nullptr;
  std::optional<wvds::client::Slot> slot;
  wvds::protocol::Operation operation{};
  size_t payload_length = 0;
  wvds::client::AnswerSize expected;
  wvds::Status outcome = wvds::Status::kInternalError;  // in kDone
  wvds::Bytes answer;                                   // in kDone with kSuccess

  wvds::Result<> submit();
  wvds::Result<> collect(uint32_t timeout_ms);
  void close();
};
