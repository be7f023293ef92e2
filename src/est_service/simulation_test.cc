// Twenty years of a device in some seconds: does it ever stand without a valid certificate when it could have had one?
// Under a sanitizer they would be minutes: there WVDS_SIMULATED_YEARS shortens them, but in ./check --long.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "crypto/testing/library_fixture.h"
#include "est_service/testing/fake_world.h"

namespace wvds::est_service {
namespace {

using fakes::FakeWorld;
using fakes::kDay;
using fakes::kYear;

int64_t simulated_years() {
  const char* const fewer = std::getenv("WVDS_SIMULATED_YEARS");
  return fewer == nullptr ? 20 : std::stoll(fewer);
}

const crypto::Library& library() { return crypto::library_in(crypto::FipsMode::kOff); }

// Life is what happens to the device: the server is away for days or weeks, the device is switched off, the CA gets a
// new key every five years, and answers later now and then.
class Life {
 public:
  Life(FakeWorld& world, uint64_t seed) : world_(world), random_(seed) {}

  void live(int64_t years) {
    const int64_t end = world_.now + years * kYear;
    next_rollover_ = world_.now + 5 * kYear;
    world_.restart();
    while (world_.now < end) {
      const int64_t until = std::min(end, world_.now + between(1, 40) * kDay);
      world_.server.reachable = !chance(4);
      if (chance(6)) world_.server.laters = static_cast<int>(between(1, 3));
      if (chance(8)) be_off(between(1, 30) * kDay);
      roll_over_in_time();
      live_until(until);
      if (chance(2)) world_.restart();
    }
  }

  int64_t unforced_gap() const { return unforced_gap_; }
  size_t renewals() const { return world_.installed.size(); }

 private:
  bool chance(int one_in) { return random_() % static_cast<uint64_t>(one_in) == 0; }
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }

  void roll_over_in_time() {
    if (world_.now < next_rollover_) return;
    world_.server.roll_over(world_.now);
    next_rollover_ += 5 * kYear;
  }

  // While the device is off nothing happens; afterwards it begins anew.
  void be_off(int64_t time) {
    world_.now += time;
    world_.restart();
  }

  void live_until(int64_t until) {
    while (world_.now < until) {
      const int64_t next = world_.step();
      if (world_.server.reachable) note_chance();
      world_.now = std::min(until, std::max(world_.now + 1, next));
    }
  }

  // After a step with the server in reach there has to be a valid certificate, unless a failure from before or a 202
  // holds the next attempt up: at most for so long as the rules of trying again allow.
  void note_chance() {
    const CertificateStatus& status = world_.certificate();
    const bool valid = status.not_before <= world_.now && world_.now <= status.not_after;
    had_one_ |= valid;
    if (valid || !had_one_) {
      invalid_since_ = 0;
    } else if (invalid_since_ == 0) {
      invalid_since_ = world_.now;
    } else {
      unforced_gap_ = std::max(unforced_gap_, world_.now - invalid_since_);
    }
  }

  FakeWorld& world_;
  std::mt19937_64 random_;
  int64_t next_rollover_ = 0;
  bool had_one_ = false;
  int64_t invalid_since_ = 0;
  int64_t unforced_gap_ = 0;
};

class TwentyYears : public testing::TestWithParam<uint64_t> {};

TEST_P(TwentyYears, LeaveNoGapThatWasNotForced) {
  FakeWorld world(library());
  world.config.certificates[0].rekey = GetParam() % 2 == 0;
  Life life(world, GetParam());
  life.live(simulated_years());
  // The server's 202s, three at most, and one retry with an expired certificate
  EXPECT_LE(life.unforced_gap(), 3 * 330 + 900 + 60) << "seconds";
  EXPECT_GT(life.renewals(), 5 * static_cast<size_t>(simulated_years()));
  EXPECT_LE(world.keys.own_keys()->size(), 3u) << "keys are left behind";
}
INSTANTIATE_TEST_SUITE_P(Lives, TwentyYears, testing::Range<uint64_t>(1, 3));

TEST(TwentyYears, WithoutTroubleNeverHaveAnExpiredOrLateCertificate) {
  FakeWorld world(library());
  world.restart();
  const int64_t end = world.now + simulated_years() * kYear;
  int64_t next_rollover = world.now + 5 * kYear;
  while (world.now < end) {
    const int64_t next = world.step();
    const CertificateStatus& status = world.certificate();
    ASSERT_TRUE(status.not_before <= world.now && world.now <= status.not_after) << "at " << world.now;
    ASSERT_GE(status.not_after - world.now, 29 * kDay) << "renewed too late";
    world.now = std::max(world.now + 1, next);
    if (world.now < next_rollover) continue;
    world.server.roll_over(world.now);
    next_rollover += 5 * kYear;
  }
}

}  // namespace
}  // namespace wvds::est_service
