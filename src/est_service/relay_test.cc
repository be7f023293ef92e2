#include "est_service/relay.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "protocol/frame.h"
#include "protocol/testing/hex.h"

namespace wvds::est_service {
namespace {

using protocol::RelayEvent;
using protocol::RelayTask;
using protocol::testing::Buffer;
using protocol::testing::copy_of;
using protocol::testing::text;
using protocol::testing::untrusted;
using std::chrono::hours;
using std::chrono::milliseconds;

platform::TimePoint in(platform::Duration duration) { return platform::monotonic_now() + duration; }

struct Task {
  Status status = Status::kSuccess;
  RelayTask task = RelayTask::kNothing;
  uint16_t port = 0;
  uint32_t connection = 0;
  uint32_t most = 0;
  Buffer bytes;
};

// Relay is one relaying session.
class Relay {
 public:
  Relay(RelayHub& hub, uint64_t session) : hub_(hub), session_(session) {}

  Task next(RelayEvent event = RelayEvent::kNone, uint32_t connection = 0, const Buffer& bytes = {},
            platform::Duration wait = hours(1)) {
    Buffer answer(protocol::kMaxAnswerPayload);
    const protocol::EstRelayRequest request{0, event, connection, untrusted(bytes)};
    const auto length = hub_.serve(session_, request, in(wait), answer);
    if (!length) return {.status = length.error().status, .bytes = {}};
    answer.resize(*length);
    const auto decoded = protocol::EstRelayAnswer::decode(untrusted(answer));
    EXPECT_TRUE(decoded);
    return {Status::kSuccess,    decoded->task, decoded->port,
            decoded->connection, decoded->most, copy_of(decoded->bytes)};
  }
  Task look(RelayEvent event = RelayEvent::kNone, uint32_t connection = 0, const Buffer& bytes = {}) {
    return next(event, connection, bytes, platform::Duration(0));
  }
  void end() { hub_.end_session(session_); }

 private:
  RelayHub& hub_;
  const uint64_t session_;
};

class RelayTest : public ::testing::Test {
 protected:
  // open makes a connection; the relay's next request reports it.
  std::unique_ptr<ByteStream> open() {
    est::Outcome<std::unique_ptr<ByteStream>> stream;
    std::jthread dialing([&] { stream = dialer.dial("est.example", 8443, in(hours(1))); });
    const Task task = relay.next();
    EXPECT_EQ(task.task, RelayTask::kConnect);
    number = task.connection;
    EXPECT_EQ(relay.look(RelayEvent::kConnected, number).task, RelayTask::kNothing);
    dialing.join();
    EXPECT_TRUE(stream);
    return stream ? std::move(*stream) : nullptr;
  }

  RelayHub hub;
  RelayDialer dialer{hub};
  Relay relay{hub, 1};
  uint32_t number = 0;
};

TEST_F(RelayTest, CarriesARequestAndItsAnswer) {
  Buffer received(100);
  size_t count = 0;
  std::jthread service([&] {
    auto stream = dialer.dial("est.example", 8443, in(hours(1)));
    ASSERT_TRUE(stream);
    ASSERT_TRUE((*stream)->write(text("request"), in(hours(1))));
    const auto got = (*stream)->read(received, in(hours(1)));
    ASSERT_TRUE(got);
    count = *got;
    EXPECT_EQ((*stream)->read(received, in(hours(1))).value_or(99), 0u) << "the end";
  });
  const Task connect = relay.next();
  EXPECT_EQ(connect.task, RelayTask::kConnect);
  EXPECT_EQ(connect.bytes, text("est.example"));
  EXPECT_EQ(connect.port, 8443u);
  const Task send = relay.next(RelayEvent::kConnected, connect.connection);
  EXPECT_EQ(send.task, RelayTask::kSend);
  EXPECT_EQ(send.bytes, text("request"));
  const Task receive = relay.next(RelayEvent::kSent, connect.connection);
  EXPECT_EQ(receive.task, RelayTask::kReceive);
  EXPECT_EQ(receive.most, 100u);
  const Task again = relay.next();
  EXPECT_EQ(again.task, RelayTask::kReceive) << "nothing came yet";
  const Task more = relay.next(RelayEvent::kReceived, connect.connection, text("answer"));
  EXPECT_EQ(more.task, RelayTask::kReceive);
  EXPECT_EQ(relay.next(RelayEvent::kEnded, connect.connection).task, RelayTask::kClose);
  service.join();
  EXPECT_EQ(Buffer(received.begin(), received.begin() + 6), text("answer"));
  EXPECT_EQ(count, 6u);
  EXPECT_EQ(hub.connection_count(), 0u);
}

TEST_F(RelayTest, SaysThatNobodyRelays) {
  const auto stream = dialer.dial("est.example", 8443, in(milliseconds(1)));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, est::FailureKind::kConnectFailed);
  EXPECT_EQ(stream.error().detail, "no program relays: one with the right est-relay must run");
  EXPECT_EQ(hub.connection_count(), 0u);
  EXPECT_EQ(relay.look().task, RelayTask::kNothing) << "nobody waits for it any more";
}

TEST_F(RelayTest, DialsNothingThatIsNoHost) {
  for (const std::string& host : {std::string(), std::string(256, 'h')})
    EXPECT_EQ(dialer.dial(host, 443, in(hours(1))).error().kind, est::FailureKind::kConfiguration);
  EXPECT_EQ(dialer.dial("h", 0, in(hours(1))).error().kind, est::FailureKind::kConfiguration);
}

TEST_F(RelayTest, TellsWhyAConnectionFailed) {
  std::jthread service([&] {
    const auto stream = dialer.dial("est.example", 8443, in(hours(1)));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().kind, est::FailureKind::kConnectFailed);
    EXPECT_EQ(stream.error().detail, "the relay says: refused?[31m");
  });
  const Task connect = relay.next();
  EXPECT_EQ(relay.next(RelayEvent::kFailed, connect.connection, text("refused\x1b[31m")).task, RelayTask::kClose);
}

TEST_F(RelayTest, GivesUpOnARelayThatDoesNotConnect) {
  std::jthread service([&] {
    est::FailureKind kind = est::FailureKind::kConnectFailed;
    while (kind == est::FailureKind::kConnectFailed)  // the relay has not taken it yet
      kind = dialer.dial("est.example", 8443, in(milliseconds(20))).error().kind;
    EXPECT_EQ(kind, est::FailureKind::kTimeout);
  });
  const Task connect = relay.next();
  service.join();
  EXPECT_EQ(hub.connection_count(), 1u) << "the relay has to close it";
  EXPECT_EQ(relay.look(RelayEvent::kConnected, connect.connection).task, RelayTask::kClose) << "it comes too late";
  EXPECT_EQ(hub.connection_count(), 0u);
}

TEST_F(RelayTest, SplitsWhatIsLong) {
  const auto stream = open();
  Buffer all(protocol::kMaxRelayBytes + 1000);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i * 7 >> 3);
  std::jthread writing([&] { EXPECT_TRUE(stream->write(all, in(hours(1)))); });
  Buffer sent;
  Task task = relay.next();
  for (; sent.size() < all.size(); task = relay.look(RelayEvent::kSent, number)) {
    while (task.task == RelayTask::kNothing) task = relay.look();
    ASSERT_EQ(task.task, RelayTask::kSend);
    sent.insert(sent.end(), task.bytes.begin(), task.bytes.end());
  }
  EXPECT_EQ(sent, all);
}

TEST_F(RelayTest, TakesNoMoreThanWasAskedFor) {
  const auto stream = open();
  EXPECT_EQ(relay.look(RelayEvent::kReceived, number, text("unasked")).status, Status::kInvalidPayload);
  Buffer room(4);
  std::jthread reading([&] {
    EXPECT_EQ(stream->read(room, in(hours(1))).value_or(99), 4u);
    EXPECT_EQ(room, text("four"));
  });
  ASSERT_EQ(relay.next().task, RelayTask::kReceive);
  EXPECT_EQ(relay.look(RelayEvent::kReceived, number, text("five!")).status, Status::kInvalidPayload);
  EXPECT_EQ(relay.look(RelayEvent::kReceived, number, text("four")).task, RelayTask::kNothing);
  EXPECT_EQ(relay.look(RelayEvent::kReceived, number, text("more")).status, Status::kInvalidPayload);
}

TEST_F(RelayTest, KeepsWhatCameTooLateForOneReadForTheNext) {
  const auto stream = open();
  Buffer room(10);
  std::atomic<bool> asked{false};
  std::jthread reading([&] {
    while (!asked) EXPECT_EQ(stream->read(room, in(milliseconds(20))).error().kind, est::FailureKind::kTimeout);
  });
  EXPECT_EQ(relay.next().task, RelayTask::kReceive);
  asked = true;
  reading.join();
  EXPECT_EQ(relay.look(RelayEvent::kReceived, number, text("late")).task, RelayTask::kNothing);
  EXPECT_EQ(stream->read(MutableBytes(room).first(3), in(hours(1))).value_or(0), 3u);
  EXPECT_EQ(stream->read(room, in(hours(1))).value_or(0), 1u);
  EXPECT_EQ(room[0], std::byte{'e'});
}

TEST_F(RelayTest, RefusesEventsThatFitNoTask) {
  const auto stream = open();
  for (const RelayEvent event : {RelayEvent::kConnected, RelayEvent::kSent, RelayEvent::kEnded, RelayEvent::kFailed}) {
    EXPECT_EQ(relay.look(event, number).status, Status::kInvalidPayload) << static_cast<int>(event);
    EXPECT_EQ(relay.look(event, number + 1).status, Status::kInvalidPayload);
  }
  Relay other(hub, 2);
  EXPECT_EQ(other.look(RelayEvent::kConnected, number).status, Status::kInvalidPayload) << "another's connection";
  EXPECT_EQ(hub.connection_count(), 1u);
}

TEST_F(RelayTest, BreaksAConnectionWhoseTaskIsNotReported) {
  const auto stream = open();
  std::jthread writing([&] {
    const auto sent = stream->write(text("request"), in(hours(1)));
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, est::FailureKind::kConnectionLost);
    EXPECT_EQ(sent.error().detail, "the relay did not tell what came of its task");
  });
  ASSERT_EQ(relay.next().task, RelayTask::kSend);
  EXPECT_EQ(relay.look().task, RelayTask::kNothing);
  writing.join();
  Buffer room(1);
  EXPECT_EQ(stream->read(room, in(hours(1))).error().kind, est::FailureKind::kConnectionLost);
}

TEST_F(RelayTest, SendsNothingMoreAfterAWriteThatNobodyKnowsTheEndOf) {
  const auto stream = open();
  EXPECT_EQ(stream->write(text("one"), in(milliseconds(1))).error().kind, est::FailureKind::kTimeout);
  EXPECT_EQ(stream->write(text("two"), in(hours(1))).error().kind, est::FailureKind::kConnectionLost);
  EXPECT_EQ(relay.look().task, RelayTask::kNothing);
}

TEST_F(RelayTest, EndsTheConnectionsOfARelayThatEnds) {
  const auto stream = open();
  Buffer room(1);
  std::jthread reading([&] {
    const auto got = stream->read(room, in(hours(1)));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, est::FailureKind::kConnectionLost);
    EXPECT_EQ(got.error().detail, "the relay ended");
  });
  ASSERT_EQ(relay.next().task, RelayTask::kReceive);
  relay.end();
  reading.join();
  Relay other(hub, 2);
  EXPECT_EQ(other.look().task, RelayTask::kNothing) << "nobody takes it over";
}

TEST_F(RelayTest, ForgetsWhatIsClosedTogetherWithItsRelay) {
  {
    const auto stream = open();
  }
  EXPECT_EQ(hub.connection_count(), 1u);
  relay.end();
  EXPECT_EQ(hub.connection_count(), 0u);
  const auto stream = open();
  relay.end();
  EXPECT_EQ(hub.connection_count(), 1u) << "its stream lives";
}

TEST_F(RelayTest, GrowsNotForARelayThatClosesNothing) {
  uint64_t session = 0;
  while (hub.connection_count() < RelayHub::kMaxConnections) {
    std::jthread dialing([&] { EXPECT_FALSE(dialer.dial("est.example", 8443, in(hours(1)))); });
    Relay one(hub, ++session);
    const Task connect = one.next();
    EXPECT_EQ(connect.task, RelayTask::kConnect);
    one.look(RelayEvent::kFailed, connect.connection);
  }
  EXPECT_EQ(hub.connection_count(), RelayHub::kMaxConnections);
  const auto refused = dialer.dial("est.example", 8443, in(hours(1)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, est::FailureKind::kConnectFailed);
  for (; session != 0; --session) Relay(hub, session).look();
  EXPECT_EQ(hub.connection_count(), 0u) << "each was told to close its own";
}

TEST_F(RelayTest, WakesEverybodyWhenItStops) {
  const auto stream = open();
  Buffer room(1);
  std::jthread reading([&] {
    const auto got = stream->read(room, in(hours(1)));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, est::FailureKind::kConnectionLost);
  });
  std::jthread dialing([&] { EXPECT_FALSE(dialer.dial("est.example", 8443, in(hours(1)))); });
  std::jthread idle([&] {
    Relay other(hub, 2);
    while (other.next().status == Status::kSuccess) {
    }
  });
  hub.stop();
  reading.join();
  dialing.join();
  idle.join();
  EXPECT_EQ(relay.look().status, Status::kNotReady);
  EXPECT_EQ(stream->write(text("x"), in(hours(1))).error().kind, est::FailureKind::kConnectionLost);
}

// ---- A relay that does anything

// Echo is the server: what it gets comes back, each byte changed.
std::byte echoed(std::byte byte) { return byte ^ std::byte{0x55}; }

enum class Mischief { kNone, kSplits, kDelays, kDrops, kReorders, kCorrupts, kLies };

// WildRelay carries bytes to an echo, by the rules of EST_RELAY but for its mischief, until it is told to close.
void relay_wildly(Relay& relay, Mischief mischief, uint32_t seed) {
  const auto any = [&] { return seed = seed * 1664525 + 1013904223, seed >> 10; };
  std::deque<std::byte> server;
  RelayEvent event = RelayEvent::kNone;
  uint32_t connection = 0;
  Buffer bytes;
  for (;;) {
    if (mischief == Mischief::kLies && any() % 3 == 0) {
      const Buffer some(any() % 2);
      relay.look(static_cast<RelayEvent>(1 + any() % 5), 1 + any() % 4, some);
    }
    const Task task = relay.next(event, connection, bytes);
    if (task.status == Status::kInvalidPayload) {  // its own lie was taken before
      event = RelayEvent::kNone, connection = 0, bytes = {};
      continue;
    }
    if (task.status != Status::kSuccess) return;
    connection = task.connection;
    bytes.clear();
    switch (task.task) {
      case RelayTask::kNothing: event = RelayEvent::kNone; break;
      case RelayTask::kClose: return;
      case RelayTask::kConnect: event = RelayEvent::kConnected; break;
      case RelayTask::kSend:
        event = RelayEvent::kSent;
        for (const std::byte byte : task.bytes) server.push_back(echoed(byte));
        if (mischief == Mischief::kDrops && any() % 4 == 0) server.pop_back();
        if (mischief == Mischief::kCorrupts) server.back() ^= std::byte{0x80};
        if (mischief == Mischief::kReorders && server.size() > 1) std::swap(server.front(), server.back());
        break;
      case RelayTask::kReceive: {
        size_t count = std::min<size_t>(task.most, server.size());
        if (mischief == Mischief::kSplits) count = std::min<size_t>(count, 1 + any() % 300);
        if (mischief == Mischief::kDelays && any() % 4 != 0) count = 0;
        bytes.assign(server.begin(), server.begin() + static_cast<ptrdiff_t>(count));
        server.erase(server.begin(), server.begin() + static_cast<ptrdiff_t>(count));
        event = count == 0 ? RelayEvent::kNone : RelayEvent::kReceived;
        if (count == 0) {
          connection = 0;
          if (mischief == Mischief::kDrops) event = RelayEvent::kEnded, connection = task.connection;
        }
        break;
      }
    }
    if (event == RelayEvent::kNone) connection = 0;
  }
}

// echo_of sends `out` and reads as much again; the failure where there is one.
est::Outcome<Buffer> echo_of(ByteStream& stream, const Buffer& out) {
  if (const auto sent = stream.write(out, in(hours(1))); !sent) return std::unexpected(sent.error());
  Buffer all;
  Buffer part(700);
  while (all.size() < out.size()) {
    const auto count =
        stream.read(MutableBytes(part).first(std::min(part.size(), out.size() - all.size())), in(hours(1)));
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return est::failed(est::FailureKind::kConnectionLost, "ended early");
    all.insert(all.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(*count));
  }
  return all;
}

class RelayMischief : public ::testing::TestWithParam<Mischief> {};

TEST_P(RelayMischief, GivesTheBytesThatTheRelayHandedInOrAnError) {
  const Mischief mischief = GetParam();
  const bool changes = mischief == Mischief::kCorrupts || mischief == Mischief::kReorders;
  size_t right = 0, wrong = 0, failures = 0;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    RelayHub hub;
    Relay relay(hub, 1);
    std::jthread relaying([&] {
      relay_wildly(relay, mischief, seed);
      relay.end();
    });
    {
      const auto stream = RelayDialer(hub).dial("est.example", 443, in(hours(1)));
      for (size_t round = 0; stream && round < 10; ++round) {
        Buffer out(1 + round * 977);
        for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i * 31 + seed + round);
        Buffer expected(out.size());
        std::ranges::transform(out, expected.begin(), echoed);
        const auto back = echo_of(**stream, out);
        (!back ? failures : *back == expected ? right : wrong) += 1;
        if (!back) break;
      }
      if (!stream) ++failures;
    }
    hub.stop();
  }
  if (mischief == Mischief::kNone || mischief == Mischief::kSplits || mischief == Mischief::kDelays) {
    EXPECT_EQ(right, 200u);
  }
  if (mischief == Mischief::kDrops) {
    EXPECT_GT(failures, 0u);
  }
  if (changes) {
    EXPECT_GT(wrong, 0u) << "what a relay changes is for TLS to find";
  } else if (mischief != Mischief::kLies) {  // which may be that bytes came
    EXPECT_EQ(wrong, 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RelayMischief,
                         ::testing::Values(Mischief::kNone, Mischief::kSplits, Mischief::kDelays, Mischief::kDrops,
                                           Mischief::kReorders, Mischief::kCorrupts, Mischief::kLies));

}  // namespace
}  // namespace wvds::est_service
