#include "est/check.h"

#include <openssl/err.h>

#include <optional>

#include "est/subject.h"
#include "est/testing/x509_fixture.h"
#include "est/x509_handles.h"

namespace wvds::est {
namespace {

class Issued : public X509Test {
 protected:
  void SetUp() override {
    root_.emplace(factory::make_ca(library(), "P-256", "CN=Root", kCaYears));
    sub_.emplace(factory::make_ca(library(), "ML-DSA-65", "CN=Sub", kCaYears, &*root_));
    anchors_ = {root_->certificate};
    key_ = factory::make_key(library(), "P-256");
    subject_ = *parse_subject("CN=gw-17,O=WvdS");
    names_.dns = {"gw-17.example"};
    names_.ip = {"192.0.2.1", "2001:db8::1"};
  }

  factory::LeafOptions leaf() const {
    return {.subject = "CN=gw-17,O=WvdS",
            .alternative_names = "DNS:GW-17.example,IP:192.0.2.1,IP:2001:db8::1,DNS:more.example"};
  }

  Certificate issue(const factory::LeafOptions& options, factory::Validity validity = kThisYear) const {
    return factory::issue(library(), *sub_, key_.get(), validity, options);
  }

  Outcome<Chain> check(const std::vector<Certificate>& received) const {
    return check(received, [](IssuedCheck&) {});
  }

  template <class Change>
  Outcome<Chain> check(const std::vector<Certificate>& received, Change change) const {
    IssuedCheck wanted{.received = received,
                       .key = key_.get(),
                       .subject = subject_,
                       .names = names_,
                       .anchors = anchors_,
                       .intermediates = intermediates_,
                       .now = kNow};
    change(wanted);
    return check_issued(library(), wanted);
  }

  std::optional<factory::Ca> root_;
  std::optional<factory::Ca> sub_;
  std::vector<Certificate> anchors_;
  std::vector<Certificate> intermediates_;
  KeyHandle key_;
  Subject subject_;
  Names names_;
};
WVDS_IN_BOTH_MODES(Issued);

TEST_P(Issued, CertificatesThatAreRightComeWithTheirChain) {
  const Certificate leaf = issue(this->leaf());
  for (const auto& received : {std::vector{leaf, sub_->certificate}, std::vector{sub_->certificate, leaf},
                               std::vector{root_->certificate, sub_->certificate, leaf}}) {
    const auto chain = check(received);
    ASSERT_TRUE(chain) << chain.error().detail;
    EXPECT_EQ(chain->leaf, leaf);
    EXPECT_EQ(chain->intermediates, std::vector{sub_->certificate});
    EXPECT_EQ(chain->anchor, root_->certificate);
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Issued, ChainsMayBeOfEveryAlgorithm) {
  for (const char* algorithm : signing_algorithms()) {
    const factory::Ca root = factory::make_ca(library(), algorithm, "CN=Root", kCaYears);
    const factory::Ca sub = factory::make_ca(library(), algorithm, "CN=Sub", kCaYears, &root);
    const KeyHandle key = factory::make_key(library(), algorithm);
    const std::vector<Certificate> received{
        factory::issue(library(), sub, key.get(), kThisYear, {.subject = "CN=gw-17"})};
    const std::vector<Certificate> anchors{root.certificate};
    const std::vector<Certificate> intermediates{sub.certificate};
    const auto chain = check_issued(library(), {.received = received,
                                                .spki = *crypto::spki_of(key.get()),
                                                .subject = *parse_subject("CN=gw-17"),
                                                .anchors = anchors,
                                                .intermediates = intermediates,
                                                .now = kNow});
    EXPECT_TRUE(chain) << algorithm << ": " << chain.error().detail;
  }
}

TEST_P(Issued, CertificatesForAnotherKeyAreRefused) {
  const KeyHandle other = factory::make_key(library(), "P-256");
  const Certificate wrong = factory::issue(library(), *sub_, other.get(), kThisYear, leaf());
  expect_failure(check({wrong, sub_->certificate}), FailureKind::kWrongKey, "\"CN=gw-17,O=WvdS\" (P-256)");
  expect_failure(check({}), FailureKind::kWrongKey, "none");
}

TEST_P(Issued, CertificatesMustBeValidNow) {
  const std::vector<Certificate> received{issue(leaf()), sub_->certificate};
  const auto at = [&](int64_t now) { return check(received, [&](IssuedCheck& c) { c.now = now; }); };
  const int64_t begin = kThisYear.not_before;
  const int64_t end = kThisYear.not_after;
  EXPECT_TRUE(at(end - 1));
  expect_failure(at(end), FailureKind::kExpired, "until 2028-01-15 08:00:00 UTC, and it is 2028-01-15 08:00:00 UTC");
  EXPECT_TRUE(at(begin));
  EXPECT_TRUE(at(begin - 300)) << "the device's clock may be a little behind";
  expect_failure(at(begin - 301), FailureKind::kNotYetValid, "from 2027-01-14 08:00:00 UTC on");
  expect_failure(at(0), FailureKind::kNotYetValid, "1970-01-01");
}

TEST_P(Issued, CasAboveMustBeValidNow) {
  const factory::Validity old{kNow - kYear, kNow - 1};
  const factory::Ca expired = factory::make_ca(library(), "P-256", "CN=Old Sub", old, &*root_);
  const Certificate leaf = factory::issue(library(), expired, key_.get(), kThisYear, this->leaf());
  expect_failure(check({leaf, expired.certificate}), FailureKind::kExpired, "\"CN=Old Sub\"");
  const factory::Ca future = factory::make_ca(library(), "P-256", "CN=New Sub", {kNow + 1, kNow + kYear}, &*root_);
  const Certificate early = factory::issue(library(), future, key_.get(), kThisYear, this->leaf());
  expect_failure(check({early, future.certificate}), FailureKind::kNotYetValid, "\"CN=New Sub\"");
}

TEST_P(Issued, CertificatesMustBeUsable) {
  const auto refused = [&](auto change, FailureKind kind, const char* detail) {
    factory::LeafOptions options = leaf();
    change(options);
    expect_failure(check({issue(options), sub_->certificate}), kind, detail);
  };
  refused([](auto& o) { o.key_usage = "critical,keyAgreement"; }, FailureKind::kNotUsable, "digitalSignature");
  refused([](auto& o) { o.extended_key_usage = "serverAuth"; }, FailureKind::kMissingEku, "clientAuth");
  refused([](auto& o) { o.extended_key_usage = "anyExtendedKeyUsage"; }, FailureKind::kMissingEku, "clientAuth");
  refused([](auto& o) { o.more = {{"1.2.3.4", "critical,DER:0500"}}; }, FailureKind::kNotUsable, "critical extension");
  refused([](auto& o) { o.more = {{"nameConstraints", "DER:0500"}}; }, FailureKind::kNotUsable, "can't be read");
  const factory::Ca ca = factory::make_ca(library(), "P-256", "CN=gw-17,O=WvdS", kCaYears, &*sub_);
  expect_failure(check({ca.certificate, sub_->certificate}, [&](IssuedCheck& c) { c.key = ca.key.get(); }),
                 FailureKind::kNotUsable, "CA certificate");
}

TEST_P(Issued, UsesMayBeWiderThanNeeded) {
  for (const char* usage : {"clientAuth,serverAuth", "clientAuth,anyExtendedKeyUsage", ""}) {
    factory::LeafOptions options = leaf();
    options.extended_key_usage = usage;
    options.key_usage = "";
    EXPECT_TRUE(check({issue(options), sub_->certificate})) << usage;
  }
}

TEST_P(Issued, PurposesDecideWhatIsUsable) {
  factory::LeafOptions options = leaf();
  options.extended_key_usage = "serverAuth";
  const std::vector<Certificate> server{issue(options), sub_->certificate};
  EXPECT_TRUE(check(server, [](IssuedCheck& c) { c.purpose = Purpose::kTlsServer; }));
  EXPECT_TRUE(check(server, [](IssuedCheck& c) { c.purpose = Purpose::kSignature; }));
  options.extended_key_usage = "";
  options.key_usage = "keyEncipherment";
  const std::vector<Certificate> kem{issue(options), sub_->certificate};
  EXPECT_TRUE(check(kem, [](IssuedCheck& c) { c.purpose = Purpose::kKeyEstablishment; }));
  expect_failure(check(server, [](IssuedCheck& c) { c.purpose = Purpose::kKeyEstablishment; }), FailureKind::kNotUsable,
                 "keyEncipherment");
}

TEST_P(Issued, SubjectsAreHeldAgainstTheRequest) {
  factory::LeafOptions options = leaf();
  options.subject = "CN=gw-17,OU=Field,O=WvdS,C=DE";
  const std::vector<Certificate> more{issue(options), sub_->certificate};
  const auto by = [&](const std::vector<Certificate>& received, NameRule rule) {
    return check(received, [&](IssuedCheck& c) { c.name_rule = rule; });
  };
  EXPECT_TRUE(by(more, NameRule::kRequestedPresent));
  expect_failure(by(more, NameRule::kExact), FailureKind::kWrongNames, "requested as \"CN=gw-17,O=WvdS\"");
  options.subject = "CN=gw-18,O=WvdS";
  const std::vector<Certificate> other{issue(options), sub_->certificate};
  expect_failure(by(other, NameRule::kRequestedPresent), FailureKind::kWrongNames, "subject is \"CN=gw-18,O=WvdS\"");
  EXPECT_TRUE(by(other, NameRule::kSubjectIsTheCas));
  EXPECT_TRUE(by({issue(leaf()), sub_->certificate}, NameRule::kExact));
}

TEST_P(Issued, AlternativeNamesMustAllBeThere) {
  factory::LeafOptions options = leaf();
  options.alternative_names = "DNS:gw-17.example,IP:192.0.2.1";
  expect_failure(check({issue(options), sub_->certificate}), FailureKind::kWrongNames, "\"2001:db8::1\"");
  options.alternative_names = "";
  expect_failure(check({issue(options), sub_->certificate}), FailureKind::kWrongNames, "\"gw-17.example\"");
  names_ = {.dns = {}, .ip = {}, .uri = {"urn:a"}, .email = {"a@b.example"}};
  options.alternative_names = "URI:urn:a,email:a@b.example";
  EXPECT_TRUE(check({issue(options), sub_->certificate}));
  options.alternative_names = "URI:urn:A,email:a@b.example";
  expect_failure(check({issue(options), sub_->certificate}), FailureKind::kWrongNames, "\"urn:a\"");
}

TEST_P(Issued, ChainsMustReachAnAnchor) {
  const Certificate leaf = issue(this->leaf());
  expect_failure(check({leaf}), FailureKind::kUntrustedChain, "issued by \"CN=Sub\"");
  intermediates_ = {sub_->certificate};
  EXPECT_TRUE(check({leaf})) << "the intermediate may come from /cacerts";
  const factory::Ca impostor = factory::make_ca(library(), "P-256", "CN=Root", kCaYears);
  anchors_ = {impostor.certificate};
  expect_failure(check({leaf, sub_->certificate}), FailureKind::kUntrustedChain);
  expect_failure(check({leaf, sub_->certificate, root_->certificate}), FailureKind::kUntrustedChain, "self-signed");
  anchors_ = {};
  expect_failure(check({leaf, sub_->certificate, root_->certificate}), FailureKind::kUntrustedChain);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Issued, NoOneButACaMayStandInTheChain) {
  const factory::Ca device =
      factory::make_ca(library(), "P-256", "CN=Other Device", kCaYears, &*root_, {.is_ca = false});
  const Certificate forged = factory::issue(library(), device, key_.get(), kThisYear, leaf());
  expect_failure(check({forged, device.certificate}), FailureKind::kUntrustedChain);
}

TEST_P(Issued, WeakKeysAreNotTrusted) {
  const auto& plain = crypto::library_in(FipsMode::kOff);  // FIPS mode makes no such key
  const factory::Ca weak = factory::make_ca(plain, "RSA-1024", "CN=Weak Sub", kCaYears, &*root_);
  const Certificate leaf = factory::issue(plain, weak, key_.get(), kThisYear, this->leaf());
  expect_failure(check({leaf, weak.certificate}), FailureKind::kUntrustedChain, "key too weak");
}

TEST_P(Issued, RsaCasAreFine) {
  const factory::Ca rsa = factory::make_ca(library(), "RSA-2048", "CN=RSA Sub", kCaYears, &*root_);
  const Certificate leaf = factory::issue(library(), rsa, key_.get(), kThisYear, this->leaf());
  const auto chain = check({leaf, rsa.certificate});
  EXPECT_TRUE(chain) << chain.error().detail;
  EXPECT_EQ(rsa.certificate.key_type(), "RSA-2048");
}

}  // namespace
}  // namespace wvds::est
