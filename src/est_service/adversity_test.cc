// A disk that fails at the wrong moment, and a clock that was wrong for a while.
#include <gtest/gtest.h>

#include "crypto/testing/library_fixture.h"
#include "est_service/testing/fake_world.h"

namespace wvds::est_service {
namespace {

using fakes::FakeWorld;
using fakes::kDay;
using fakes::kYear;

const crypto::Library& library() { return crypto::library_in(crypto::FipsMode::kOff); }

// OneDevice has its first certificate.
class OneDevice : public testing::Test {
 protected:
  OneDevice() {
    world_.restart();
    world_.step();
    EXPECT_EQ(world_.certificate().phase, Phase::kValid);
    world_.now += 10;
  }

  std::ptrdiff_t renewals() const { return std::ranges::count(world_.server.log, "simplereenroll certificate"); }

  std::string failure() const {
    const auto& failure = world_.certificate().last_failure;
    return failure ? failure->name : "none";
  }

  FakeWorld world_{library()};
};

TEST_F(OneDevice, AsksForNoFurtherCertificateWhileItCanStoreNone) {
  world_.faults.read_only = true;
  world_.step({Wish{"device", true}});
  for (int attempt = 0; attempt < 5; ++attempt) {
    world_.now = world_.certificate().next_attempt;
    world_.step();
    EXPECT_EQ(failure(), "storage");
  }
  EXPECT_EQ(renewals(), 1);
  world_.faults.read_only = false;
  world_.now = world_.certificate().next_attempt;
  world_.step();
  EXPECT_EQ(failure(), "none");
  EXPECT_EQ(renewals(), 2);
}

TEST_F(OneDevice, KeepsTheKeyOfARefusedCertificateUntilTheDiskHasTheOneBefore) {
  world_.config.certificates[0].rekey = true;
  world_.restart();
  world_.surroundings->installed = [&](const std::string&) {
    world_.server.accepts_certificates = false;
    world_.faults.read_only = true;
  };
  world_.step({Wish{"device", true}});
  EXPECT_EQ(failure(), "storage");
  world_.server.accepts_certificates = true;
  world_.faults.read_only = false;
  world_.restart();
  world_.step();
  EXPECT_TRUE(world_.keys.open_key(world_.certificate().key_id).has_value()) << "the certificate has no key";
  EXPECT_EQ(failure(), "none");
}

TEST_F(OneDevice, ShowsACertificateAgainWhoseUseItCouldNotNote) {
  world_.surroundings->installed = [&](const std::string&) { world_.faults.read_only = true; };
  world_.step({Wish{"device", true}});
  EXPECT_EQ(failure(), "storage");
  world_.faults.read_only = false;
  world_.now = world_.certificate().next_attempt;
  world_.step();
  EXPECT_EQ(failure(), "none");
  EXPECT_EQ(renewals(), 1);
}

TEST_F(OneDevice, DoesNotStartWithoutAStateThatItCouldNotRead) {
  const int file = world_.volume.cached_names.at("certificate-device.json");
  world_.volume.files[static_cast<size_t>(file)].cached.resize(2 << 20);
  Board board;
  const auto loaded = Agent::load(*world_.surroundings, board, world_.now);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().kind, est::FailureKind::kStorage);
  EXPECT_FALSE(world_.volume.cached_names.contains("certificate-device.json.damaged"));
  EXPECT_TRUE(world_.volume.cached_names.contains("certificate-device.json"));
}

TEST_F(OneDevice, RenewsWhenItIsDueAfterTheClockWasAheadForAWhile) {
  const int64_t right = world_.now;
  const std::string before = world_.certificate().fingerprint;
  world_.now += 30 * kYear;  // the server's certificate has expired, too
  world_.step();
  EXPECT_NE(failure(), "none");
  EXPECT_GT(world_.certificate().next_attempt, right + 29 * kYear);
  world_.restart();  // what was planned is on the disk
  world_.now = right;
  world_.step();
  EXPECT_EQ(failure(), "none");
  EXPECT_LT(world_.certificate().next_attempt, right + 90 * kDay);
  EXPECT_LE(renewals(), 1) << "the attempt that was begun";
  world_.run(right + 85 * kDay);
  EXPECT_NE(world_.certificate().fingerprint, before);
  EXPECT_GT(world_.certificate().not_after, world_.now + 20 * kDay);
}

TEST_F(OneDevice, IsNotRenewedWithoutEndWhereTheClockIsAheadOfTheCas) {
  world_.now = world_.certificate().not_before + 80 * kDay;  // of 90: one from the CA's own time is due when it comes
  world_.server.clock_offset = world_.certificate().not_before - world_.now;
  world_.run(world_.now + world_.config.retry.longest_s);
  EXPECT_GE(renewals(), 1);
  EXPECT_LE(renewals(), 2);
}

}  // namespace
}  // namespace wvds::est_service
