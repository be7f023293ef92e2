#include "access/refusal.h"

#include <gtest/gtest.h>

namespace wvds::access {
namespace {

TEST(Refusal, OfAClientThatDoesNotUseTheServiceIsInvalidToTheChannel) {
  EXPECT_EQ(verdict_on(Status::kInvalidHeader), channel::Verdict::kInvalid);
  EXPECT_EQ(verdict_on(Status::kDenied), channel::Verdict::kInvalid);
  EXPECT_EQ(verdict_on(Status::kRateLimited), channel::Verdict::kInvalid);
  EXPECT_EQ(verdict_on(Status::kSuccess), channel::Verdict::kValid);
  EXPECT_EQ(verdict_on(Status::kCertificateNotFound), channel::Verdict::kValid);
}

TEST(Refusal, IsLoggedByHowMuchItMatters) {
  EXPECT_EQ(refusal_level(Status::kInternalError), LogLevel::kError);
  EXPECT_EQ(refusal_level(Status::kDenied), LogLevel::kWarning);
  EXPECT_EQ(refusal_level(Status::kKeyNotFound), LogLevel::kInfo);
}

TEST(Refusal, SendsNoStatusThatOnlyALibraryHas) {
  const Error error = wire_error({Status::kTimeout, "waited"});
  EXPECT_EQ(error.status, Status::kInternalError);
  EXPECT_EQ(error.detail, "TIMEOUT waited");
  EXPECT_EQ(wire_error({Status::kDenied, "no"}).status, Status::kDenied);
}

}  // namespace
}  // namespace wvds::access
