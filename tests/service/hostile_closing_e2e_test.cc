// A client leaves at each step of set-up and of a request, by hanging up and by dying. The service gives back all it
// had for it, and goes on for others.
#include <gtest/gtest.h>

#include <algorithm>

#include "channel/linux/futex.h"
#include "service/busy_bystander.h"
#include "service/hostile_session.h"
#include "support/service_sample.h"

namespace wvds::test {
namespace {

using channel::SetupType;
using channel::testing::ChildProcess;
using channel::testing::Pipe;
using channel::testing::RawClient;
using protocol::Operation;

// LeavingAt is the last step that the client makes.
enum class LeavingAt : int {
  kConnected,
  kHalfAHello,
  kHello,
  kOffered,
  kMapped,
  kSaidMapped,
  kReady,
  kHalfAFrame,
  kWholeFrame,
  kSubmittedWithoutRinging,
  kSubmitted,
  kSubmittedInAllSlots,
  kAnswered,
  kSubmittedAgain,
  kEnd
};

constexpr const char* kLeavingNames[] = {"Connected",  "HalfAHello",
                                         "Hello",      "Offered",
                                         "Mapped",     "SaidMapped",
                                         "Ready",      "HalfAFrame",
                                         "WholeFrame", "SubmittedWithoutRinging",
                                         "Submitted",  "SubmittedInAllSlots",
                                         "Answered",   "SubmittedAgain"};
static_assert(std::size(kLeavingNames) == static_cast<size_t>(LeavingAt::kEnd));

void ring(const channel::Region& region) {
  channel::store(region.control().service_bell, channel::load(region.control().service_bell) + 1);
  channel::shared_wake(region.control().service_bell);
}

void submit(const channel::Region& region, uint32_t slot) {
  channel::store(region.slot(slot).request_word, channel::load(region.slot(slot).request_word) + 1);
}

// set_up makes the steps of a session's beginning up to `last`; false when it made that one.
bool set_up(RawClient& client, LeavingAt last) {
  if (last == LeavingAt::kConnected) return false;
  if (last == LeavingAt::kHalfAHello) {
    EXPECT_EQ(send(client.socket(), "WvCs\1\0\0", 8, MSG_NOSIGNAL), 8);
    return false;
  }
  EXPECT_TRUE(client.say(SetupType::kHello).has_value());
  if (last == LeavingAt::kHello) return false;
  EXPECT_TRUE(client.hear().has_value());
  if (last == LeavingAt::kOffered) return false;
  client.map();
  if (last == LeavingAt::kMapped) return false;
  EXPECT_TRUE(client.say(SetupType::kMapped).has_value());
  if (last == LeavingAt::kSaidMapped) return false;
  EXPECT_TRUE(client.hear().has_value());
  return last != LeavingAt::kReady;
}

// go makes all steps up to `last`.
void go(RawClient& client, LeavingAt last) {
  if (!set_up(client, last)) return;
  const Octets frame = frame_of(Operation::kRandom, Octets{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}});
  const channel::Region region = client.region();
  std::copy_n(frame.begin(), frame.size() / 2, region.slot(0).request_area);
  if (last == LeavingAt::kHalfAFrame) return;
  std::ranges::copy(frame, region.slot(0).request_area);
  if (last == LeavingAt::kWholeFrame) return;
  submit(region, 0);
  if (last == LeavingAt::kSubmittedWithoutRinging) return;
  if (last == LeavingAt::kSubmittedInAllSlots) {
    for (uint32_t slot = 1; slot < region.slot_count(); ++slot) {
      std::ranges::copy(frame, region.slot(slot).request_area);
      submit(region, slot);
    }
  }
  ring(region);
  if (last < LeavingAt::kAnswered) return;
  EXPECT_TRUE(reached([&] { return channel::load(region.slot(0).answer_word) == 1; }));
  if (last == LeavingAt::kAnswered) return;
  submit(region, 0);
  ring(region);
}

class HostileClosing : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.start());
    bystander_.emplace(daemon_);
    ASSERT_TRUE(bystander_->serves(20));
    before_ = sample_of(daemon_.pid());
  }
  void TearDown() override {
    if (!bystander_) return;
    EXPECT_TRUE(reached([&] {
      const ServiceSample now = sample_of(daemon_.pid());
      return now.descriptors == before_.descriptors && now.threads == before_.threads;
    })) << sample_of(daemon_.pid()).descriptors
        << " descriptors, not " << before_.descriptors;
    EXPECT_TRUE(bystander_->serves(20));
    EXPECT_TRUE(bystander_->finish());
    EXPECT_EQ(daemon_.stop(), 0);
  }

  Daemon daemon_;
  std::optional<BusyBystander> bystander_;
  ServiceSample before_;
};

INSTANTIATE_TEST_SUITE_P(At, HostileClosing, testing::Range(0, static_cast<int>(LeavingAt::kEnd)),
                         [](const auto& test) { return kLeavingNames[test.param]; });

TEST_P(HostileClosing, ByHangingUpAndByDyingHurtsNobodyElse) {
  const auto last = static_cast<LeavingAt>(GetParam());
  for (int round = 0; round < 10; ++round) {
    RawClient client(daemon_.socket_path());
    go(client, last);
    client.hang_up();
  }
  for (int round = 0; round < 5; ++round) {
    Pipe there, never;
    ChildProcess client([&] {
      RawClient dying(daemon_.socket_path());
      go(dying, last);
      if (!testing::Test::HasFailure()) there.tell();
      never.told();
    });
    EXPECT_TRUE(there.told());
    client.kill_now();
  }
}

}  // namespace
}  // namespace wvds::test
