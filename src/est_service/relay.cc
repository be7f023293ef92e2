#include "est_service/relay.h"

#include <algorithm>

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using protocol::RelayEvent;
using protocol::RelayTask;

// fits tells whether a relay may report the event when this is what it was asked for.
bool fits(RelayTask task, RelayEvent event) {
  switch (event) {
    case RelayEvent::kConnected: return task == RelayTask::kConnect;
    case RelayEvent::kSent: return task == RelayTask::kSend;
    case RelayEvent::kReceived:
    case RelayEvent::kEnded: return task == RelayTask::kReceive;
    case RelayEvent::kFailed:
      return task == RelayTask::kConnect || task == RelayTask::kSend || task == RelayTask::kReceive;
    case RelayEvent::kNone: break;
  }
  return false;
}

// A relay that does not tell what came of these has lost its way.
bool must_be_reported(RelayTask task) { return task == RelayTask::kConnect || task == RelayTask::kSend; }

std::string printable(UntrustedBytes bytes) {
  std::string text(bytes.size(), '\0');
  bytes.copy_to(std::as_writable_bytes(std::span(text)));
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text.empty() ? "the relay failed and does not say why" : "the relay says: " + text;
}

Result<size_t> nothing(MutableBytes answer) {
  return protocol::encode_est_relay_answer(RelayTask::kNothing, 0, 0, 0, {}, answer);
}

}  // namespace

// Stream is one connection. It closes it when it goes.
class RelayHub::Stream : public ByteStream {
 public:
  Stream(RelayHub& hub, uint32_t number, Connection& connection)
      : hub_(hub), number_(number), connection_(connection) {}
  ~Stream() override { hub_.close(number_); }

  est::Outcome<size_t> read(MutableBytes out, platform::TimePoint deadline) override {
    return hub_.read(connection_, out, deadline);
  }
  est::Outcome<> write(Bytes bytes, platform::TimePoint deadline) override {
    return hub_.write(connection_, bytes, deadline);
  }

 private:
  RelayHub& hub_;
  const uint32_t number_;
  Connection& connection_;  // the hub's as long as the stream lives
};

// ---- The relay's side

Result<size_t> RelayHub::serve(uint64_t session, const protocol::EstRelayRequest& request, platform::TimePoint deadline,
                               MutableBytes answer) {
  std::unique_lock lock(mutex_);
  if (stopped_) return fail(Status::kNotReady, "stopping");
  WVDS_TRY(take_event(session, request));
  changed_.notify_all();
  std::optional<Result<size_t>> given;
  changed_.wait_until(lock, deadline, [&] { return stopped_ || (given = give_task(session, answer)); });
  if (given) return *std::move(given);
  if (stopped_) return fail(Status::kNotReady, "stopping");
  return nothing(answer);
}

Result<> RelayHub::take_event(uint64_t session, const protocol::EstRelayRequest& request) {
  const auto reported = connections_.find(request.connection);
  if (request.event != RelayEvent::kNone) {
    if (reported == connections_.end() || reported->second.owner != session)
      return fail(Status::kInvalidPayload, "event of a connection that the session does not have");
    const Connection& connection = reported->second;
    if (!fits(connection.outstanding, request.event))
      return fail(Status::kInvalidPayload, "event that the connection was not asked for");
    if (request.event == RelayEvent::kReceived && request.bytes.size() > connection.most)
      return fail(Status::kInvalidPayload, "more bytes than were asked for");
  }
  for (auto& [number, connection] : connections_) {
    if (connection.owner != session) continue;
    const RelayTask task = std::exchange(connection.outstanding, RelayTask::kNothing);
    if (number == request.connection) {
      apply(connection, request);
    } else if (must_be_reported(task) && connection.state != State::kClosing) {
      connection.state = State::kBroken;
      connection.failure = "the relay did not tell what came of its task";
    }
  }
  return {};
}

// What comes for a stream that is gone is dropped.
void RelayHub::apply(Connection& connection, const protocol::EstRelayRequest& request) {
  if (connection.state == State::kClosing || connection.state == State::kBroken) return;
  switch (request.event) {
    case RelayEvent::kConnected: connection.state = State::kOpen; break;
    case RelayEvent::kSent: connection.sent = true; break;
    case RelayEvent::kEnded: connection.ended = true; break;
    case RelayEvent::kReceived:
      connection.received.resize(request.bytes.size());
      request.bytes.copy_to(connection.received);
      break;
    case RelayEvent::kFailed:
      connection.state = State::kBroken;
      connection.failure = printable(request.bytes);
      break;
    case RelayEvent::kNone: break;
  }
}

// Closing comes first: it makes room for other connections.
std::optional<Result<size_t>> RelayHub::give_task(uint64_t session, MutableBytes answer) {
  using protocol::encode_est_relay_answer;
  for (const auto& [number, connection] : connections_) {
    if (connection.state != State::kClosing || connection.owner != session) continue;
    auto encoded = encode_est_relay_answer(RelayTask::kClose, 0, number, 0, {}, answer);
    connections_.erase(number);
    return encoded;
  }
  for (auto& [number, connection] : connections_) {
    if (connection.state == State::kWaiting) {
      connection.owner = session;
      connection.state = State::kConnecting;
      connection.outstanding = RelayTask::kConnect;
      return encode_est_relay_answer(RelayTask::kConnect, connection.port, number, 0, as_bytes(connection.host),
                                     answer);
    }
    if (connection.state != State::kOpen || connection.owner != session) continue;
    if (!connection.to_send.empty()) {
      connection.outstanding = RelayTask::kSend;
      return encode_est_relay_answer(RelayTask::kSend, 0, number, 0, std::exchange(connection.to_send, {}), answer);
    }
    if (connection.wanted != 0 && connection.received.empty() && !connection.ended) {
      connection.outstanding = RelayTask::kReceive;
      connection.most = connection.wanted;
      return encode_est_relay_answer(RelayTask::kReceive, 0, number, static_cast<uint32_t>(connection.most), {},
                                     answer);
    }
  }
  return std::nullopt;
}

void RelayHub::end_session(uint64_t session) {
  const std::lock_guard lock(mutex_);
  std::erase_if(connections_, [&](const auto& entry) {
    return entry.second.owner == session && entry.second.state == State::kClosing;
  });
  for (auto& [number, connection] : connections_) {
    if (connection.owner != session) continue;
    connection.owner = 0;
    connection.outstanding = RelayTask::kNothing;
    if (connection.state == State::kBroken) continue;
    connection.state = State::kBroken;
    connection.failure = "the relay ended";
  }
  changed_.notify_all();
}

void RelayHub::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

size_t RelayHub::connection_count() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

// ---- The streams' side

est::Failure RelayHub::lost(const Connection& connection) const {
  return {FailureKind::kConnectionLost, stopped_ ? "est_service is stopping" : connection.failure};
}

est::Outcome<std::unique_ptr<ByteStream>> RelayHub::dial(const std::string& host, uint16_t port,
                                                         platform::TimePoint deadline) {
  if (host.empty() || host.size() > protocol::kMaxRelayHostSize || port == 0)
    return failed(FailureKind::kConfiguration, "no host and port that a relay can connect to");
  std::unique_lock lock(mutex_);
  if (connections_.size() >= kMaxConnections)
    return failed(FailureKind::kConnectFailed, "the relay does not close the connections that it was told to close");
  const uint32_t number = ++last_number_ == 0 ? ++last_number_ : last_number_;
  Connection& connection = connections_[number];
  connection.host = host;
  connection.port = port;
  changed_.notify_all();
  const auto pending = [&] { return connection.state == State::kWaiting || connection.state == State::kConnecting; };
  changed_.wait_until(lock, deadline, [&] { return stopped_ || !pending(); });
  if (connection.state == State::kOpen && !stopped_)
    return std::unique_ptr<ByteStream>(std::make_unique<Stream>(*this, number, connection));
  est::Failure failure = lost(connection);
  if (!stopped_ && connection.state == State::kWaiting) {
    failure = {FailureKind::kConnectFailed, "no program relays: one with the right est-relay must run"};
  } else if (!stopped_ && connection.state == State::kConnecting) {
    failure = {FailureKind::kTimeout, "the relay did not connect to " + host + " in time"};
  } else if (!stopped_) {
    failure.kind = FailureKind::kConnectFailed;
  }
  close_locked(number);
  return std::unexpected(std::move(failure));
}

est::Outcome<size_t> RelayHub::read(Connection& connection, MutableBytes out, platform::TimePoint deadline) {
  std::unique_lock lock(mutex_);
  connection.wanted = std::min(out.size(), protocol::kMaxRelayBytes);
  changed_.notify_all();
  changed_.wait_until(lock, deadline, [&] {
    return stopped_ || !connection.received.empty() || connection.ended || connection.state != State::kOpen;
  });
  connection.wanted = 0;
  if (stopped_) return std::unexpected(lost(connection));
  // What came before the end, or before the connection broke, is still handed out.
  if (const size_t count = std::min(out.size(), connection.received.size()); count != 0) {
    copy_bytes(Bytes(connection.received).first(count), out);
    connection.received.erase(connection.received.begin(), connection.received.begin() + static_cast<ptrdiff_t>(count));
    return count;
  }
  if (connection.ended) return 0;
  if (connection.state != State::kOpen) return std::unexpected(lost(connection));
  return failed(FailureKind::kTimeout, "nothing came through the relay in time");
}

est::Outcome<> RelayHub::write(Connection& connection, Bytes bytes, platform::TimePoint deadline) {
  std::unique_lock lock(mutex_);
  while (!bytes.empty()) {
    const Bytes chunk = bytes.first(std::min(bytes.size(), protocol::kMaxRelayBytes));
    if (auto sent = send(lock, connection, chunk, deadline); !sent) return sent;
    bytes = bytes.subspan(chunk.size());
  }
  return {};
}

est::Outcome<> RelayHub::send(std::unique_lock<std::mutex>& lock, Connection& connection, Bytes bytes,
                              platform::TimePoint deadline) {
  if (stopped_ || connection.state != State::kOpen) return std::unexpected(lost(connection));
  connection.to_send = bytes;
  connection.sent = false;
  changed_.notify_all();
  changed_.wait_until(lock, deadline, [&] { return stopped_ || connection.sent || connection.state != State::kOpen; });
  connection.to_send = {};
  if (connection.sent && !stopped_) return {};
  if (stopped_ || connection.state != State::kOpen) return std::unexpected(lost(connection));
  // Nobody knows how much of it went out: nothing more may follow.
  connection.state = State::kBroken;
  connection.failure = "the relay did not send all bytes in time";
  return failed(FailureKind::kTimeout, connection.failure);
}

void RelayHub::close(uint32_t number) {
  const std::lock_guard lock(mutex_);
  close_locked(number);
}

// A relay that has the connection is told to close it; otherwise nobody needs to know.
void RelayHub::close_locked(uint32_t number) {
  const auto found = connections_.find(number);
  if (found->second.owner == 0) {
    connections_.erase(found);
    return;
  }
  Connection& connection = found->second;
  connection.state = State::kClosing;
  connection.to_send = {};
  connection.wanted = 0;
  connection.received = {};
  changed_.notify_all();
}

}  // namespace wvds::est_service
