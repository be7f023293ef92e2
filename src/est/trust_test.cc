#include "est/trust.h"

#include <openssl/err.h>

#include <optional>

#include "est/check.h"
#include "est/testing/x509_fixture.h"
#include "est/x509_handles.h"

namespace wvds::est {
namespace {

using List = std::vector<Certificate>;

bool has(const List& list, const Certificate& one) { return std::ranges::find(list, one) != list.end(); }

std::string reason_of(const CaCertificates& result, const Certificate& one) {
  for (const Refused& refused : result.refused) {
    if (refused.certificate == one) return refused.reason;
  }
  return "";
}

// A CA that goes over from one key to the next: the old root lives on for years beside the new one.
class Rollover : public X509Test {
 protected:
  void SetUp() override {
    old_.emplace(factory::make_ca(library(), "P-256", "CN=Root,O=WvdS", {kNow - 10 * kYear, kNow + kYear}));
    new_.emplace(factory::make_ca(library(), "ML-DSA-65", "CN=Root,O=WvdS", {kNow - kDay, kNow + 10 * kYear}));
    new_with_old_.emplace(factory::make_link(library(), *new_, *old_, {kNow - kDay, kNow + kYear}));
    old_with_new_.emplace(factory::make_link(library(), *old_, *new_, {kNow - 10 * kYear, kNow + kYear}));
  }

  Outcome<CaCertificates> accept(const List& current, const List& received, int64_t now = kNow) const {
    return accept_ca_certificates(library(), current, received, now);
  }

  std::optional<factory::Ca> old_;
  std::optional<factory::Ca> new_;
  std::optional<Certificate> new_with_old_;
  std::optional<Certificate> old_with_new_;
};
WVDS_IN_BOTH_MODES(Rollover);

TEST_P(Rollover, NewRootIsTakenThroughNewWithOldAndTheOldOneStays) {
  const auto result =
      accept({old_->certificate}, {*old_with_new_, *new_with_old_, new_->certificate, old_->certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, (List{old_->certificate, new_->certificate}));
  EXPECT_TRUE(result->anchors_changed);
  EXPECT_TRUE(has(result->links, *new_with_old_));
  EXPECT_FALSE(has(result->intermediates, *new_with_old_));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Rollover, NewRootNeedsOnlyTheLinkBesideIt) {
  const auto result = accept({old_->certificate}, {*new_with_old_, new_->certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_TRUE(has(result->anchors, new_->certificate));
  EXPECT_TRUE(has(result->anchors, old_->certificate)) << "it was not sent, and is still valid";
}

TEST_P(Rollover, NewRootWithoutLinkIsRefused) {
  const auto alone = accept({old_->certificate}, {old_->certificate, new_->certificate});
  ASSERT_TRUE(alone) << alone.error().detail;
  EXPECT_EQ(alone->anchors, List{old_->certificate});
  EXPECT_FALSE(alone->anchors_changed);
  EXPECT_NE(reason_of(*alone, new_->certificate).find("NewWithOld"), std::string::npos);
  expect_failure(accept({old_->certificate}, {new_->certificate}), FailureKind::kUntrustedChain, "NewWithOld");
}

TEST_P(Rollover, OldWithNewAloneBringsNoNewRoot) {
  const auto result = accept({old_->certificate}, {old_->certificate, *old_with_new_, new_->certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, List{old_->certificate});
}

TEST_P(Rollover, OldRootIsNotTakenBackByADeviceThatHasTheNewOne) {
  const auto result =
      accept({new_->certificate}, {*old_with_new_, *new_with_old_, new_->certificate, old_->certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, List{new_->certificate});
  EXPECT_TRUE(has(result->links, *old_with_new_));
  EXPECT_NE(reason_of(*result, old_->certificate).find("not younger"), std::string::npos);
}

TEST_P(Rollover, CertificatesOfBothKeysAreVerifiedByEitherRootWithTheLinks) {
  const KeyHandle key = factory::make_key(library(), "P-256");
  const List leaves{factory::issue(library(), *old_, key.get(), kThisYear),
                    factory::issue(library(), *new_, key.get(), kThisYear)};
  const List links{*old_with_new_, *new_with_old_};
  for (const Certificate& leaf : leaves) {
    for (const Certificate& root : {old_->certificate, new_->certificate}) {
      const List anchors{root};
      const auto chain = find_chain(library(), {leaf, anchors, links, kNow});
      EXPECT_TRUE(chain) << chain.error().detail;
    }
  }
}

TEST_P(Rollover, SeveralStepsAreFollowed) {
  const factory::Ca third = factory::make_ca(library(), "P-384", "CN=Root,O=WvdS", {kNow - 60, kNow + 20 * kYear});
  const Certificate third_with_second = factory::make_link(library(), third, *new_, {kNow - 60, kNow + kYear});
  const List links{third_with_second, *new_with_old_};
  List received = links;
  received.push_back(third.certificate);
  const auto result = accept({old_->certificate}, received);
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, (List{old_->certificate, third.certificate}));
  const auto gap = accept({old_->certificate}, {third_with_second, third.certificate, old_->certificate});
  ASSERT_TRUE(gap);
  EXPECT_FALSE(has(gap->anchors, third.certificate)) << "the first step is missing";
}

TEST_P(Rollover, ForgedLinksBringNothing) {
  const factory::Ca forger = factory::make_ca(library(), "P-256", "CN=Root,O=WvdS", {kNow - kDay, kNow + 10 * kYear});
  const Certificate forged = factory::make_link(library(), *new_, forger, {kNow - kDay, kNow + kYear});
  const auto result = accept({old_->certificate}, {old_->certificate, forged, new_->certificate, forger.certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, List{old_->certificate});
  EXPECT_TRUE(result->links.empty());
  EXPECT_EQ(reason_of(*result, forged), "no trust anchor made it");
  EXPECT_EQ(result->refused.size(), 3u);
}

TEST_P(Rollover, LinksForOneKeyDoNotBringAnother) {
  const factory::Ca other = factory::make_ca(library(), "P-256", "CN=Root,O=WvdS", {kNow - 60, kNow + 10 * kYear});
  const auto result = accept({old_->certificate}, {old_->certificate, *new_with_old_, other.certificate});
  ASSERT_TRUE(result);
  EXPECT_FALSE(has(result->anchors, other.certificate));
}

// A CA below the root has a certificate by the root's key as well; it must not become a root by signing itself.
TEST_P(Rollover, IntermediatesCantMakeThemselvesRoots) {
  const factory::Ca sub = factory::make_ca(library(), "P-256", "CN=Sub", kCaYears, &*old_);
  const Certificate as_root = factory::make_link(library(), sub, sub, {kNow - 60, kNow + 10 * kYear});
  ASSERT_TRUE(as_root.is_self_signed());
  const auto result = accept({old_->certificate}, {old_->certificate, sub.certificate, as_root});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->anchors, List{old_->certificate});
  EXPECT_EQ(result->intermediates, List{sub.certificate});
  EXPECT_FALSE(reason_of(*result, as_root).empty());
}

TEST_P(Rollover, WeakRootsAreRefusedWhoeverVouchesForThem) {
  const auto& plain = crypto::library_in(FipsMode::kOff);  // FIPS mode makes no such key
  const factory::Ca weak = factory::make_ca(plain, "RSA-1024", "CN=Root,O=WvdS", {kNow - 60, kNow + 10 * kYear});
  const Certificate link = factory::make_link(plain, weak, *old_, {kNow - 60, kNow + kYear});
  const auto result = accept({old_->certificate}, {old_->certificate, link, weak.certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, List{old_->certificate});
  EXPECT_EQ(reason_of(*result, weak.certificate), "its key or signature is too weak");
}

TEST_P(Rollover, LinksThatExpiredVouchForNothing) {
  const Certificate expired = factory::make_link(library(), *new_, *old_, {kNow - kYear, kNow - 1});
  const auto result = accept({old_->certificate}, {old_->certificate, expired, new_->certificate});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->anchors, List{old_->certificate});
  EXPECT_NE(reason_of(*result, expired).find("expired"), std::string::npos);
}

TEST_P(Rollover, OldRootLeavesWhenItExpires) {
  const List both{old_->certificate, new_->certificate};
  const auto before = accept(both, {new_->certificate}, kNow + kYear - 1);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->anchors, both);
  EXPECT_FALSE(before->anchors_changed);
  const auto after = accept(both, {new_->certificate}, kNow + kYear);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->anchors, List{new_->certificate});
  EXPECT_TRUE(after->anchors_changed);
  expect_failure(accept({old_->certificate}, both, kNow + kYear), FailureKind::kExpired, "none of the 1 trust anchors");
  expect_failure(accept({}, both), FailureKind::kExpired, "none of the 0");
}

TEST_P(Rollover, IntermediatesMustLeadToAnAnchor) {
  const factory::Ca sub = factory::make_ca(library(), "P-256", "CN=Sub", kCaYears, &*old_);
  const factory::Ca below = factory::make_ca(library(), "P-256", "CN=Below", kCaYears, &sub);
  const factory::Ca stranger = factory::make_ca(library(), "P-256", "CN=Stranger", kCaYears);
  const factory::Ca foreign = factory::make_ca(library(), "P-256", "CN=Foreign", kCaYears, &stranger);
  const KeyHandle key = factory::make_key(library(), "P-256");
  const Certificate leaf = factory::issue(library(), *old_, key.get(), kThisYear);
  const auto result = accept({old_->certificate}, {below.certificate, foreign.certificate, leaf, sub.certificate});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->intermediates, (List{below.certificate, sub.certificate}));
  EXPECT_FALSE(reason_of(*result, foreign.certificate).empty());
  EXPECT_EQ(reason_of(*result, leaf), "it is not a CA certificate");
  expect_failure(accept({old_->certificate}, {foreign.certificate, leaf}), FailureKind::kUntrustedChain, "CN=Foreign");
}

TEST_P(Rollover, BootstrapTakesTheRootWithTheFingerprint) {
  const List received{*old_with_new_, *new_with_old_, new_->certificate, old_->certificate};
  const auto by = [&](const Certificate& root) {
    return accept_by_fingerprint(library(), received, {root.fingerprint()}, kNow);
  };
  const auto by_new = by(new_->certificate);
  ASSERT_TRUE(by_new) << by_new.error().detail;
  EXPECT_EQ(by_new->anchors, List{new_->certificate});
  EXPECT_TRUE(by_new->anchors_changed);
  const auto by_old = by(old_->certificate);
  ASSERT_TRUE(by_old);
  EXPECT_EQ(by_old->anchors, (List{old_->certificate, new_->certificate})) << "its link vouches for the new one";
}

TEST_P(Rollover, BootstrapRefusesOtherFingerprintsAndNamesThoseItSaw) {
  const List received{new_->certificate, *new_with_old_};
  expect_failure(accept_by_fingerprint(library(), received, {old_->certificate.fingerprint()}, kNow),
                 FailureKind::kWrongFingerprint, new_->certificate.fingerprint_text());
  expect_failure(accept_by_fingerprint(library(), received, {new_with_old_->fingerprint()}, kNow),
                 FailureKind::kWrongFingerprint);  // the fingerprint of something else than a root
  expect_failure(accept_by_fingerprint(library(), {}, {}, kNow), FailureKind::kWrongFingerprint, "none");
  const std::vector<Fingerprint> right{new_->certificate.fingerprint()};
  expect_failure(accept_by_fingerprint(library(), received, right, 0), FailureKind::kNotYetValid, "1970-01-01");
  expect_failure(accept_by_fingerprint(library(), received, right, kNow + 11 * kYear), FailureKind::kExpired);
}

TEST_P(Rollover, AServerOfAnImplicitAnchorMayBringEveryRoot) {
  const auto result = accept_from_trusted_server(
      library(), {*old_with_new_, *new_with_old_, new_->certificate, old_->certificate}, kNow);
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->anchors, (List{new_->certificate, old_->certificate}));
  EXPECT_EQ(result->links.size(), 2u);
  expect_failure(accept_from_trusted_server(library(), {*new_with_old_}, kNow), FailureKind::kUntrustedChain,
                 "no root");
}

}  // namespace
}  // namespace wvds::est
