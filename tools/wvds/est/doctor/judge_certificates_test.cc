#include "tools/wvds/est/doctor/judge_certificates.h"

#include <gtest/gtest.h>

#include "est/testing/certificate_factory.h"

namespace wvds::tool {
namespace {

constexpr int64_t kToday = 1'800'000'000;
constexpr int64_t kDay = 86400;
constexpr est::factory::Validity kExpired{kToday - 100 * kDay, kToday - kDay};
constexpr est::factory::Validity kValid{kToday - 100 * kDay, kToday + 100 * kDay};

class JudgeCertificates : public testing::Test {
 protected:
  est::Certificate root(est::factory::Validity validity) {
    return est::factory::make_ca(*library_, "P-256", "CN=root", validity).certificate;
  }

  std::vector<Level> levels() const {
    std::vector<Level> levels;
    for (const Finding& finding : findings_.all()) levels.push_back(finding.level);
    return levels;
  }

  const std::unique_ptr<crypto::Library> library_ = std::move(*crypto::Library::load({crypto::FipsMode::kOff, "", ""}));
  Findings findings_;
};

TEST_F(JudgeCertificates, ExpiredRootBesideAValidOneIsAWarning) {
  judge_anchors(findings_, "roots.pem", {root(kExpired), root(kValid)}, kToday);
  EXPECT_EQ(levels(), (std::vector{Level::kWarning, Level::kOk}));
}

TEST_F(JudgeCertificates, ExpiredRootsAloneAreAProblem) {
  judge_anchors(findings_, "roots.pem", {root(kExpired), root(kExpired)}, kToday);
  EXPECT_EQ(levels(), (std::vector{Level::kProblem, Level::kProblem}));
}

TEST_F(JudgeCertificates, CredentialThatIsNoLongerNeededIsNoProblem) {
  judge_credential(findings_, "credential.pem", root(kExpired), false, kToday);
  judge_credential(findings_, "credential.pem", root(kExpired), true, kToday);
  EXPECT_EQ(levels(), (std::vector{Level::kWarning, Level::kProblem}));
}

}  // namespace
}  // namespace wvds::tool
