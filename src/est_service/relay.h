#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "est_service/byte_stream.h"
#include "protocol/est_messages.h"

// Where est_service has no network, a client carries the bytes of its connections: docs/protocol.md, EST_RELAY.
namespace wvds::est_service {

// RelayHub is where connections and relaying sessions meet. A session is given one task at a time and says with its
// next request what came of it. The hub keeps no bytes but what a reader has asked for and not taken yet, at most
// protocol::kMaxRelayBytes for each of kMaxConnections. Safe for all threads.
class RelayHub {
 public:
  static constexpr size_t kMaxConnections = 8;

  RelayHub() = default;
  RelayHub(const RelayHub&) = delete;
  RelayHub& operator=(const RelayHub&) = delete;

  // serve is EST_RELAY: it takes the event, waits for a task until the deadline at the longest, and writes the answer's
  // payload. kInvalidPayload for an event that the session was not asked for; then nothing has changed. kNotReady after
  // stop(). `session` is the caller's number for it, not 0; one call of a session at a time.
  Result<size_t> serve(uint64_t session, const protocol::EstRelayRequest& request, platform::TimePoint deadline,
                       MutableBytes answer);

  // end_session ends the connections that the session carries.
  void end_session(uint64_t session);

  // stop ends everything: streams are kConnectionLost.
  void stop();

  // connection_count counts those that the hub knows, also those that a relay has yet to close.
  size_t connection_count() const;

 private:
  friend class RelayDialer;
  class Stream;

  enum class State : uint8_t { kWaiting, kConnecting, kOpen, kBroken, kClosing };

  struct Connection {
    State state = State::kWaiting;
    std::string host;
    uint16_t port = 0;
    uint64_t owner = 0;                                               // the session that carries it; 0: none
    protocol::RelayTask outstanding = protocol::RelayTask::kNothing;  // given and not reported yet
    size_t most = 0;                                                  // bytes that may be received then
    Bytes to_send;                                                    // of the writer that waits
    bool sent = false;
    size_t wanted = 0;                // bytes that a reader waits for
    std::vector<std::byte> received;  // not taken yet
    bool ended = false;               // the server sends nothing more
    std::string failure;
  };
  using Connections = std::map<uint32_t, Connection>;

  est::Outcome<std::unique_ptr<ByteStream>> dial(const std::string& host, uint16_t port, platform::TimePoint deadline);
  est::Outcome<size_t> read(Connection& connection, MutableBytes out, platform::TimePoint deadline);
  est::Outcome<> write(Connection& connection, Bytes bytes, platform::TimePoint deadline);
  void close(uint32_t number);

  est::Outcome<> send(std::unique_lock<std::mutex>& lock, Connection& connection, Bytes bytes,
                      platform::TimePoint deadline);
  Result<> take_event(uint64_t session, const protocol::EstRelayRequest& request);
  void apply(Connection& connection, const protocol::EstRelayRequest& request);
  std::optional<Result<size_t>> give_task(uint64_t session, MutableBytes answer);
  void close_locked(uint32_t number);
  est::Failure lost(const Connection& connection) const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Connections connections_;
  uint32_t last_number_ = 0;
  bool stopped_ = false;
};

// RelayDialer opens connections through the hub, which outlives it and all its streams. Nobody relays: kConnectFailed
// at the deadline.
class RelayDialer : public Dialer {
 public:
  explicit RelayDialer(RelayHub& hub) : hub_(hub) {}
  est::Outcome<std::unique_ptr<ByteStream>> dial(const std::string& host, uint16_t port,
                                                 platform::TimePoint deadline) override {
    return hub_.dial(host, port, deadline);
  }

 private:
  RelayHub& hub_;
};

}  // namespace wvds::est_service
