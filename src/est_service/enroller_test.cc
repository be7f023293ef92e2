#include <gtest/gtest.h>

#include "crypto/testing/library_fixture.h"
#include "est_service/testing/fake_world.h"

namespace wvds::est_service {
namespace {

using fakes::FakeWorld;
using fakes::kDay;

using crypto::FipsMode;
using crypto::mode_name;
using EnrollerTest = crypto::LibraryTest;

std::string failure_of(const FakeWorld& world, size_t index = 0) {
  const auto& failure = world.certificate(index).last_failure;
  return failure ? failure->name : "none";
}

TEST_P(EnrollerTest, GetsTheFirstCertificateByPasswordAndUsesItAtOnce) {
  FakeWorld world(library());
  world.restart();
  world.step();
  const CertificateStatus& status = world.certificate();
  EXPECT_EQ(status.phase, Phase::kValid) << failure_of(world);
  EXPECT_EQ(status.subject, "CN=device");
  EXPECT_EQ(world.server.log, (std::vector<std::string>{"cacerts", "simpleenroll password", "cacerts certificate"}));
  EXPECT_EQ(world.installed, std::vector<std::string>{"device"});
}

TEST_P(EnrollerTest, RenewsByTheCertificateBeforeTheEndOfItsLifetime) {
  FakeWorld world(library());
  world.restart();
  world.step();
  const std::string first = world.certificate().fingerprint;
  const uint32_t key = world.certificate().key_id;
  const int64_t end = world.certificate().not_after;
  world.server.log.clear();
  world.run(end - 20 * kDay);
  EXPECT_NE(world.certificate().fingerprint, first);
  EXPECT_EQ(world.certificate().key_id, key) << "a new key was not asked for";
  EXPECT_EQ(std::ranges::count(world.server.log, "simplereenroll certificate"), 1);
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll password"), 0);
}

TEST_P(EnrollerTest, MakesANewKeyWhereTheConfigurationWantsItAndKeepsTheOneBefore) {
  FakeWorld world(library());
  world.config.certificates[0].rekey = true;
  world.restart();
  world.step();
  const uint32_t first = world.certificate().key_id;
  const std::string first_chain = world.certificate().chain_pem;
  world.step({Wish{"device", true}});
  EXPECT_NE(world.certificate().key_id, first);
  EXPECT_EQ(world.certificate().previous_key_id, first);
  EXPECT_EQ(world.certificate().previous_chain_pem, first_chain);
  EXPECT_TRUE(world.keys.open_key(first).has_value()) << "somebody may still use it";
  world.now += 1;
  world.step({Wish{"device", true}});
  EXPECT_FALSE(world.keys.open_key(first).has_value()) << "the one before the last is deleted";
}

TEST_P(EnrollerTest, TakesNoOldKeyForANewOneAfterACrashBeforeItsDeletion) {
  FakeWorld world(library());
  world.config.certificates[0].rekey = true;
  world.restart();
  const uint32_t left_behind = world.keys.make_key(Algorithm::kEcdsaP256, "est:device").value();
  const uint32_t other = world.keys.make_key(Algorithm::kEcdsaP256, "est:other").value();
  world.step();
  EXPECT_EQ(world.certificate().key_id, left_behind) << "the first certificate takes it";
  const uint32_t stale = left_behind;
  for (int i = 0; i < 3; ++i) {
    world.now += 10;
    world.step({Wish{"device", true}});
    EXPECT_GT(world.certificate().key_id, stale);
  }
  EXPECT_FALSE(world.keys.open_key(stale).has_value());
  EXPECT_TRUE(world.keys.open_key(other).has_value()) << "another certificate's";
}

TEST_P(EnrollerTest, WorksForEachKeyTypeThatSigns) {
  for (const Algorithm type : {Algorithm::kMlDsa44, Algorithm::kMlDsa65, Algorithm::kMlDsa87, Algorithm::kEcdsaP384}) {
    FakeWorld world(library(), "ML-DSA-65", type);
    world.restart();
    world.step();
    EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  }
}

TEST_P(EnrollerTest, GetsACertificateForAKeyThatCanNotSign) {
  FakeWorld world(library(), "ML-DSA-65", Algorithm::kMlDsa65);
  config::EstCertificate kem = world.config.certificates[0];
  kem.name = "kem";
  kem.key_type = Algorithm::kMlKem768;
  kem.signed_by = "device";
  world.config.certificates.push_back(kem);
  world.restart();
  world.step();
  world.now += 2;
  world.step();
  EXPECT_EQ(world.certificate(1).phase, Phase::kValid)
      << failure_of(world, 1) << (world.certificate(1).last_failure ? world.certificate(1).last_failure->detail : "");
  EXPECT_EQ(world.server.log.back(), "simpleenroll certificate");
}

TEST_P(EnrollerTest, AsksAgainWithTheSameRequestWhenTheServerSaysAndOverARestart) {
  FakeWorld world(library());
  world.server.laters = 1;
  world.server.later_seconds = 3600;
  world.restart();
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kWaiting);
  const int64_t told = world.certificate().next_attempt;
  EXPECT_GE(told, world.now + 3600);
  world.restart();
  world.step();
  EXPECT_EQ(world.server.requests.size(), 1u) << "too early";
  EXPECT_EQ(world.certificate().next_attempt, told);
  world.now = told;
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  ASSERT_EQ(world.server.requests.size(), 2u);
  EXPECT_EQ(world.server.requests[0], world.server.requests[1]) << "RFC 7030, section 4.2.3";
}

TEST_P(EnrollerTest, KeepsTheCertificateInUseWhateverIsWrongWithTheNewOne) {
  struct Case {
    const char* failure;
    std::function<void(fakes::FakeServer&)> spoil;
  };
  const Case cases[] = {
      {"wrong-key", [](auto& server) { server.wrong_key = "P-256"; }},
      {"expired", [](auto& server) { server.clock_offset = -fakes::kYear; }},
      {"not-yet-valid", [](auto& server) { server.clock_offset = fakes::kYear; }},
      {"request-refused",
       [](auto& server) { server.enroll_failure = est::Failure{est::FailureKind::kRequestRefused, "no"}; }},
      {"connect-failed", [](auto& server) { server.reachable = false; }},
  };
  for (const Case& one : cases) {
    FakeWorld world(library());
    world.restart();
    world.step();
    const std::string before = world.certificate().fingerprint;
    world.now += 10;
    one.spoil(world.server);
    world.step({Wish{"device", true}});
    EXPECT_EQ(failure_of(world), one.failure);
    EXPECT_EQ(world.certificate().fingerprint, before) << one.failure;
    EXPECT_EQ(world.certificate().phase, Phase::kValid) << one.failure;
    EXPECT_GT(world.certificate().next_attempt, world.now) << one.failure;
    world.restart();
    world.step();
    EXPECT_EQ(world.certificate().fingerprint, before) << one.failure << ", after a restart";
  }
}

TEST_P(EnrollerTest, GoesBackToTheOldCertificateWhenTheServerRefusesItsOwn) {
  FakeWorld world(library());
  world.restart();
  world.step();
  const std::string before = world.certificate().fingerprint;
  world.now += 10;
  world.surroundings->installed = [&](const std::string&) { world.server.accepts_certificates = false; };
  world.step({Wish{"device", true}});
  EXPECT_EQ(failure_of(world), "credential-rejected");
  EXPECT_EQ(world.certificate().fingerprint, before);
  EXPECT_EQ(std::ranges::count(world.server.log, "simplereenroll certificate"), 1);
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll password"), 1) << "the first time, and not once more";
}

TEST_P(EnrollerTest, RenewsTheOldCertificateInTimeAfterItWentBackToIt) {
  FakeWorld world(library());
  world.restart();
  world.step();
  const CertificateStatus first = world.certificate();
  int refused = 0;
  world.surroundings->installed = [&](const std::string&) {  // a new certificate; then the old one again
    world.server.accepts_certificates = !world.server.accepts_certificates;
    refused += world.server.accepts_certificates ? 1 : 0;
  };
  world.run(first.not_before + 61 * kDay);  // more than 67 % of the 90 days
  EXPECT_EQ(world.certificate().fingerprint, first.fingerprint);
  const int before = refused;
  world.run(world.now + kDay);
  EXPECT_GT(refused - before, 20) << "it goes on trying";
  EXPECT_LT(refused - before, 25) << "once an hour: not each minute a certificate for nothing";
  world.surroundings->installed = nullptr;
  world.run(first.not_after - kDay);
  EXPECT_NE(world.certificate().fingerprint, first.fingerprint);
  EXPECT_EQ(failure_of(world), "none");
}

TEST_P(EnrollerTest, SaysThatItAuthenticatedByThePasswordOnlyWhereItDid) {
  const std::string by_password = "(authenticated by the password)";
  struct Case {
    const char* failure;
    std::function<void(FakeWorld&)> spoil;
    bool said;
  };
  const Case cases[] = {
      {"credential-rejected", [](auto& world) { world.server.password_right = false; }, true},
      {"request-refused",
       [](auto& world) { world.server.enroll_failure = est::Failure{est::FailureKind::kRequestRefused, "no"}; }, true},
      {"connect-failed", [](auto& world) { world.server.reachable = false; }, false},
      {"wrong-key", [](auto& world) { world.server.wrong_key = "P-256"; }, false},
      {"credential-rejected",
       [](auto& world) {
         world.surroundings->installed = [&](const std::string&) { world.server.accepts_certificates = false; };
       },
       false},
  };
  for (const Case& one : cases) {
    FakeWorld world(library());
    world.restart();
    ASSERT_EQ(failure_of(world), "none");
    one.spoil(world);
    world.step();
    ASSERT_EQ(failure_of(world), one.failure);
    const std::string& detail = world.certificate().last_failure->detail;
    EXPECT_EQ(detail.find(by_password) != detail.npos, one.said) << detail;
  }
}

TEST_P(EnrollerTest, TriesThePasswordWhenItsCertificateIsRefusedOrHasExpired) {
  FakeWorld world(library());
  world.restart();
  world.step();
  world.server.reachable = false;
  world.now = world.certificate().not_after + 10;
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kExpired);
  world.server.reachable = true;
  world.server.log.clear();
  world.run(world.now + kDay);
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll password"), 1);
}

TEST_P(EnrollerTest, FetchesTheCaCertificatesAlsoWhenTheServerRefusesItsCertificate) {
  FakeWorld world(library());
  world.restart();
  world.step();
  world.server.accepts_certificates = false;
  world.now += 2 * kDay;
  world.step();
  EXPECT_FALSE(world.board.snapshot()->ca_failure.has_value());
  EXPECT_EQ(world.board.snapshot()->ca_fetched_at, world.now);
}

TEST_P(EnrollerTest, TriesThePasswordWhenAServerKeepsHangingUpOnItsCertificate) {
  FakeWorld world(library());
  world.restart();
  world.step();
  world.server.hangs_up = true;
  world.server.log.clear();
  for (int i = 0; i < 2; ++i) {
    world.now += 10;
    world.step({Wish{"device", true}});
    EXPECT_EQ(failure_of(world), "connection-lost");
  }
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll password"), 0) << "once or twice proves nothing";
  world.now += 10;
  world.step({Wish{"device", true}});
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll password"), 1);
}

TEST_P(EnrollerTest, EnrolsAnewWhenTheConfigurationWantsOtherNames) {
  FakeWorld world(library());
  world.restart();
  world.step();
  world.config.certificates[0].dns = {"device.example"};
  world.server.log.clear();
  world.restart();
  world.now += 1;
  world.step();
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll certificate"), 1);
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  world.server.log.clear();
  world.now += 10;
  world.step();
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll certificate"), 0) << "once is enough";
}

TEST_P(EnrollerTest, FindsTheKeyAgainThatItMadeBeforeItsStateWasLost) {
  FakeWorld world(library());
  world.server.reachable = true;
  world.server.enroll_failure = est::Failure{est::FailureKind::kServerError, "500"};
  world.restart();
  world.step();
  EXPECT_EQ(world.keys.made, 1u);
  world.volume = {};
  world.server.enroll_failure.reset();
  world.restart();
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  EXPECT_EQ(world.keys.made, 1u);
}

TEST_P(EnrollerTest, SetsAStateAsideThatItCanNotReadAndBeginsAnew) {
  FakeWorld world(library());
  world.restart();
  world.step();
  for (auto& file : world.volume.files) {
    for (auto* content : {&file.cached, &file.durable}) {
      if (content->size() > 40) content->resize(content->size() - 40);
    }
  }
  world.restart();
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  EXPECT_TRUE(world.volume.cached_names.contains("certificate-device.json.damaged"));
  EXPECT_EQ(world.keys.made, 1u) << "the key was still there";
}

TEST_P(EnrollerTest, InstallsNothingThatItCouldNotWriteDown) {
  FakeWorld world(library());
  world.restart();
  world.step();
  const std::string before = world.certificate().fingerprint;
  world.now += 10;
  world.faults.read_only = true;
  world.step({Wish{"device", true}});
  EXPECT_EQ(failure_of(world), "storage");
  EXPECT_EQ(world.certificate().fingerprint, before);
  EXPECT_EQ(world.installed.size(), 1u);
  world.faults.read_only = false;
  world.now = world.certificate().next_attempt;
  world.step();
  EXPECT_NE(world.certificate().fingerprint, before);
}

TEST_P(EnrollerTest, TriesNothingWhileTheClockIsWrongAndSaysSo) {
  FakeWorld world(library());
  world.restart();
  const int64_t right = world.now;
  world.now = 1'600'000'000;  // before this program was built
  world.step();
  EXPECT_EQ(failure_of(world), "clock");
  EXPECT_TRUE(world.server.log.empty());
  EXPECT_LE(world.agent->step(std::nullopt), 60);
  EXPECT_EQ(failure_of(world), "clock");
  world.now = right;
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  EXPECT_EQ(failure_of(world), "none");
}

TEST_P(EnrollerTest, NoticesAClockThatWasSetBack) {
  FakeWorld world(library());
  world.restart();
  world.step();
  world.now += 30 * kDay;
  world.step();
  world.restart();
  world.now -= 20 * kDay;
  world.step();
  EXPECT_EQ(failure_of(world), "clock");
}

TEST_P(EnrollerTest, RenewsWhenTheServerWantsIt) {
  FakeWorld world(library());
  world.restart();
  world.step();
  const std::string before = world.certificate().fingerprint;
  world.server.hint = R"({"suggestedWindow": {"start": "2027-01-20T00:00:00Z", "end": "2027-01-21T00:00:00Z"}})";
  world.run(world.now + 2 * kDay);
  const int64_t begin = 1'800'403'200;  // 2027-01-20
  EXPECT_GE(world.certificate().renew_at, begin);
  EXPECT_LE(world.certificate().renew_at, begin + kDay);
  EXPECT_EQ(world.certificate().fingerprint, before);
  world.run(begin + kDay + 3600);
  EXPECT_NE(world.certificate().fingerprint, before);
}

TEST_P(EnrollerTest, FollowsTheCaThroughItsRollover) {
  FakeWorld world(library());
  world.restart();
  world.step();
  world.surroundings->configured_anchors.clear();
  world.server.roll_over(world.now);
  world.run(world.now + 2 * kDay);
  world.step({Wish{"device", true}});
  EXPECT_EQ(failure_of(world), "none");
  TrustKeeper keeper(*world.surroundings, world.surroundings->folder.read_trust().value());
  EXPECT_EQ(keeper.anchors().size(), 2u);
}

TEST_P(EnrollerTest, BeginsWithAFingerprintWhereNoAnchorIsThere) {
  FakeWorld world(library());
  world.restart();
  world.surroundings->configured_anchors.clear();
  world.config.trust.fingerprints = {std::string(64, 'a')};
  world.step();
  ASSERT_TRUE(world.board.snapshot()->ca_failure.has_value());
  EXPECT_EQ(world.board.snapshot()->ca_failure->name, "wrong-fingerprint");
  EXPECT_EQ(world.certificate().phase, Phase::kMissing);
  world.config.trust.fingerprints = {world.server.root().fingerprint_text()};
  world.now += 3600;
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
}

TEST_P(EnrollerTest, GoesOnWhereCryptoServiceIsAwayForAWhile) {
  FakeWorld world(library());
  world.keys.reachable = false;
  world.restart();
  world.step();
  EXPECT_EQ(failure_of(world), "key-service");
  world.keys.reachable = true;
  world.now = world.certificate().next_attempt;
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
}

// Credential is a certificate in a file, with its key.
struct Credential {
  Credential(FakeWorld& world, const est::factory::Ca& ca) : key(est::factory::make_key(world.library, "P-256")) {
    const est::factory::Validity validity{world.now - kDay, world.now + 90 * kDay};
    pem = est::factory::issue(world.library, ca, key.get(), validity, {.subject = "CN=device", .more = {}}).to_pem();
    world.surroundings->file_identity = [this, &world]() -> est::Outcome<Identity> {
      auto again = crypto::key_from_pem(world.library, as_bytes(est::factory::key_pem(key.get())));
      return Identity{est::Certificate::list_from_pem(world.library, pem).value(), std::move(*again)};
    };
    world.surroundings->save_credential = [this](const std::string& next) -> est::Outcome<> {
      pem = next;
      return {};
    };
  }

  crypto::KeyHandle key;
  std::string pem;
};

TEST_P(EnrollerTest, EnrolsByACertificateInAFileAndRenewsThatToo) {
  FakeWorld world(library());
  world.config.credential.username.clear();
  world.restart();
  Credential credential(world, world.server.ca());
  const std::string first = credential.pem;
  world.step();
  EXPECT_EQ(world.certificate().phase, Phase::kValid) << failure_of(world);
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll certificate"), 1);
  EXPECT_EQ(credential.pem, first) << "not due yet";
  const int64_t end = world.now + 80 * kDay;
  while (world.now < end) world.now = std::max(world.now + 1, world.step());
  EXPECT_NE(credential.pem, first);
  const auto renewed = est::Certificate::list_from_pem(library(), credential.pem);
  ASSERT_TRUE(renewed.has_value());
  EXPECT_TRUE(renewed->front().has_key(credential.key.get()));
  EXPECT_GT(renewed->front().not_after(), world.now);
}

TEST_P(EnrollerTest, AsksForNoCertificateThatItCantPutInItsPlace) {
  FakeWorld world(library());
  world.restart();
  Credential credential(world, world.server.ca());
  world.surroundings->save_credential = nullptr;
  world.server.leaf_lifetime = fakes::kYear;  // so that only the credential is due
  const int64_t end = world.now + 80 * kDay;
  while (world.now < end) world.now = std::max(world.now + 1, world.step());
  EXPECT_EQ(std::ranges::count(world.server.log, "simpleenroll certificate"), 1);
  EXPECT_EQ(std::ranges::count(world.server.log, "simplereenroll certificate"), 0);
}

TEST_P(EnrollerTest, LeavesAMakersCertificateAlone) {
  FakeWorld world(library());
  world.restart();
  const est::factory::Ca maker =
      est::factory::make_ca(library(), "P-256", "CN=Maker", {world.now - kDay, world.now + 9000 * kDay});
  Credential credential(world, maker);
  const std::string first = credential.pem;
  const int64_t end = world.now + 80 * kDay;
  while (world.now < end) world.now = std::max(world.now + 1, world.step());
  EXPECT_EQ(credential.pem, first);
}

WVDS_IN_BOTH_MODES(EnrollerTest);

}  // namespace
}  // namespace wvds::est_service
