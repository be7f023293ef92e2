#include "tools/wvds/est/attempt.h"

#include <gtest/gtest.h>

#include <cstring>

namespace wvds::tool {
namespace {

Seen valid() {
  Seen seen{7, {}};
  seen.certificate.phase = WVDS_EST_VALID;
  seen.certificate.renew_at = seen.certificate.next_attempt = 5000;
  seen.certificate.fingerprint[0] = 1;
  return seen;
}

void fail(wvds_est_failure& failure, const char* name, uint64_t at) {
  std::strcpy(failure.name, name);
  failure.at = at;
}

TEST(HowItEnded, NothingIsKnownBeforeAnAttemptIsFinished) {
  const Seen before = valid();
  Seen now = before;
  now.certificate.renew_at = 6000;  // a hint of the server
  EXPECT_EQ(how_it_ended(before, now), Ended::kNotYet);
}

TEST(HowItEnded, AnotherCertificatesAttemptIsNotThisOnes) {
  const Seen before = valid();
  Seen now = before;
  now.attempts = 8;
  EXPECT_EQ(how_it_ended(before, now), Ended::kNotYet);
  fail(now.certificate.failure, "timeout", 100);
  Seen old = now;
  now.attempts = 9;
  EXPECT_EQ(how_it_ended(old, now), Ended::kNotYet) << "a failure that was there before";
}

TEST(HowItEnded, NewCertificateIsInstalled) {
  const Seen before = valid();
  Seen now = before;
  now.attempts = 8;
  now.certificate.fingerprint[31] = 1;
  EXPECT_EQ(how_it_ended(before, now), Ended::kInstalled);
}

TEST(HowItEnded, NewCertificateThatTheServerDoesNotAcceptIsAFailure) {
  const Seen before = valid();
  Seen now = before;
  now.attempts = 8;
  now.certificate.fingerprint[31] = 1;
  fail(now.certificate.failure, "credential-rejected", 100);
  EXPECT_EQ(how_it_ended(before, now), Ended::kFailed);
}

TEST(HowItEnded, SameFailureInTheSameSecondIsAnotherByItsNumber) {
  Seen before = valid();
  fail(before.certificate.failure, "timeout", 100);
  before.certificate.num_failures = 1;
  Seen now = before;
  now.attempts = 8;
  now.certificate.num_failures = 2;
  EXPECT_EQ(how_it_ended(before, now), Ended::kFailed);
}

TEST(HowItEnded, WrongClockIsAFailureThoughNothingWasTried) {
  Seen before = valid();
  fail(before.certificate.failure, "clock", 100);
  Seen now = before;
  now.attempts = 8;
  EXPECT_EQ(how_it_ended(before, now), Ended::kFailed);
}

TEST(HowItEnded, ServerMayAnswerLater) {
  const Seen before = valid();
  Seen now = before;
  now.attempts = 8;
  now.certificate.next_attempt = 400;
  EXPECT_EQ(how_it_ended(before, now), Ended::kLater);
  now.certificate.phase = WVDS_EST_WAITING;
  now.certificate.renew_at = 0;
  EXPECT_EQ(how_it_ended(before, now), Ended::kLater);
}

TEST(HowFetchEnded, IsToldByItsTime) {
  wvds_est_state before{};
  before.num_attempts = 3;
  before.ca_fetched_at = 900;
  wvds_est_state now = before;
  EXPECT_EQ(how_fetch_ended(before, now, 1000), Ended::kNotYet);
  now.num_attempts = 4;
  EXPECT_EQ(how_fetch_ended(before, now, 1000), Ended::kNotYet) << "a certificate's attempt";
  EXPECT_EQ(how_fetch_ended(before, now, 901), Ended::kInstalled) << "twice in a second";
  now.ca_fetched_at = 1001;
  EXPECT_EQ(how_fetch_ended(before, now, 1000), Ended::kInstalled);
  fail(now.ca_failure, "timeout", 990);
  EXPECT_EQ(how_fetch_ended(before, now, 1000), Ended::kFailed);
  EXPECT_EQ(how_fetch_ended(now, wvds_est_state(now), 1000), Ended::kNotYet);
}

}  // namespace
}  // namespace wvds::tool
