#include "est/certificate.h"

#include <openssl/err.h>

#include "est/subject.h"
#include "est/testing/x509_fixture.h"
#include "est/x509_handles.h"

namespace wvds::est {
namespace {

using crypto::Octets;

class Certificates : public X509Test {
 protected:
  void SetUp() override {
    ca_ = std::make_unique<factory::Ca>(factory::make_ca(library(), "P-256", "CN=Root,O=WvdS", kCaYears));
  }
  std::unique_ptr<factory::Ca> ca_;
};
WVDS_IN_BOTH_MODES(Certificates);

TEST_P(Certificates, TellWhatTheyHold) {
  for (const char* algorithm : signing_algorithms()) {
    const KeyHandle key = factory::make_key(library(), algorithm);
    const Certificate leaf = factory::issue(
        library(), *ca_, key.get(), kThisYear,
        {.subject = "CN=gw-17,O=WvdS",
         .alternative_names = "DNS:gw-17.example,IP:192.0.2.1,IP:2001:db8::1,URI:urn:a:b,email:a@b.example"});
    EXPECT_EQ(leaf.subject(), "CN=gw-17,O=WvdS");
    EXPECT_EQ(leaf.issuer(), "CN=Root,O=WvdS");
    EXPECT_EQ(leaf.subject_parts(), (Subject{{"O", "WvdS"}, {"CN", "gw-17"}}));
    EXPECT_EQ(leaf.not_before(), kThisYear.not_before);
    EXPECT_EQ(leaf.not_after(), kThisYear.not_after);
    EXPECT_TRUE(leaf.valid_at(kNow));
    EXPECT_FALSE(leaf.valid_at(leaf.not_after()));
    EXPECT_FALSE(leaf.valid_at(leaf.not_before() - 1));
    EXPECT_EQ(leaf.names(),
              (Names{{"gw-17.example"}, {"192.0.2.1", "2001:db8:0:0:0:0:0:1"}, {"urn:a:b"}, {"a@b.example"}}));
    EXPECT_EQ(leaf.key_type(), algorithm);
    EXPECT_TRUE(leaf.has_key(key.get()));
    EXPECT_TRUE(leaf.has_spki(*crypto::spki_of(key.get())));
    EXPECT_EQ(leaf.spki(), *crypto::spki_of(key.get()));
    EXPECT_FALSE(leaf.has_key(ca_->key.get()));
    EXPECT_FALSE(leaf.is_ca());
    EXPECT_FALSE(leaf.is_self_signed());
    EXPECT_EQ(leaf.fingerprint_text().size(), 64u);
    EXPECT_FALSE(leaf.serial().empty());
  }
  EXPECT_TRUE(ca_->certificate.is_ca());
  EXPECT_TRUE(ca_->certificate.is_self_issued());
  EXPECT_TRUE(ca_->certificate.is_self_signed());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Certificates, SurviveBothEncodings) {
  const Certificate& root = ca_->certificate;
  const auto from_der = Certificate::from_der(library(), root.to_der());
  ASSERT_TRUE(from_der);
  EXPECT_EQ(*from_der, root);
  const auto from_pem = Certificate::from_pem(library(), "a comment before\n" + root.to_pem() + "and one behind\n");
  ASSERT_TRUE(from_pem) << from_pem.error().detail;
  EXPECT_EQ(*from_pem, root);
  const auto list = Certificate::list_from_pem(library(), root.to_pem() + root.to_pem());
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 2u);
}

void expect_refused(const Result<std::vector<Certificate>>& list, const std::string& detail) {
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().status, Status::kInvalidPayload);
  EXPECT_NE(list.error().detail.find(detail), std::string::npos) << list.error().detail;
}

TEST_P(Certificates, AreRefusedInPemBesideOtherThings) {
  const std::string pem = ca_->certificate.to_pem();
  expect_refused(Certificate::list_from_pem(library(), ""), "no certificate");
  expect_refused(Certificate::list_from_pem(library(), pem + factory::key_pem(ca_->key.get())),
                 "holds a PRIVATE KEY where only certificates belong");
  expect_refused(Certificate::list_from_pem(library(), pem.substr(0, pem.size() / 2)), "damaged");
  expect_refused(Certificate::list_from_pem(library(), std::string(kMaxPemBytes + 1, '\n')), "over 256 KB");
  std::string many;
  for (size_t i = 0; i <= kMaxCertificates; ++i) many += pem;
  expect_refused(Certificate::list_from_pem(library(), many), "more than 32");
  EXPECT_FALSE(Certificate::from_pem(library(), pem + pem));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Certificates, AreRefusedInDerWhenTheyAreNotOneWholeCertificate) {
  const Octets der = ca_->certificate.to_der();
  Octets longer = der;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Certificate::from_der(library(), longer));
  EXPECT_FALSE(Certificate::from_der(library(), {}));
  for (size_t length = 1; length < der.size(); length += 7)
    EXPECT_FALSE(Certificate::from_der(library(), Bytes(der).first(length)));
  EXPECT_FALSE(Certificate::from_der(library(), Octets(kMaxCertificateBytes + 1)));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Certificates, KeepDatesFarOff) {
  const Certificate old = factory::issue(library(), *ca_, ca_->key.get(), {-kYear, 253402300799});
  EXPECT_EQ(old.not_before(), -kYear);
  EXPECT_EQ(old.not_after(), 253402300799) << "RFC 5280, section 4.1.2.5: no end";
}

TEST(TimeText, IsReadable) {
  EXPECT_EQ(time_text(kNow), "2027-01-15 08:00:00 UTC");
  EXPECT_EQ(time_text(0), "1970-01-01 00:00:00 UTC");
  EXPECT_EQ(time_text(253402300799), "9999-12-31 23:59:59 UTC");
  EXPECT_EQ(time_text(253402300800), "never");
  EXPECT_EQ(time_text(-1), "before 1970");
}

TEST(FingerprintFromText, ReadsDigitsWithAndWithoutColons) {
  const std::string digits(62, '0');
  const auto plain = fingerprint_from_text(digits + "aB");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->back(), std::byte{0xab});
  std::string colons = "AB";
  for (int i = 1; i < 32; ++i) colons += ":00";
  const auto with_colons = fingerprint_from_text(colons);
  ASSERT_TRUE(with_colons);
  EXPECT_EQ(with_colons->front(), std::byte{0xab});
  for (const std::string& bad : {std::string(), digits, digits + "0g", digits + "0000", digits + "0\x10"})
    EXPECT_FALSE(fingerprint_from_text(bad)) << bad;
}

TEST(ParseSubject, ReadsRfc4514FromTheEnd) {
  const auto subject = parse_subject("CN=gw-17, o = WvdS GmbH ,serialNumber=0815,1.2.3.4=x");
  ASSERT_TRUE(subject) << subject.error().detail;
  EXPECT_EQ(*subject, (Subject{{"1.2.3.4", "x"}, {"serialNumber", "0815"}, {"O", "WvdS GmbH"}, {"CN", "gw-17"}}));
  EXPECT_TRUE(parse_subject("")->empty());
}

TEST(ParseSubject, UndoesEscapes) {
  const auto subject = parse_subject("CN=a\\,b\\+c\\\\d,O=\\ x\\20,OU=Gr\\C3\\BC\\C3\\9Fe,L=\\#1");
  ASSERT_TRUE(subject) << subject.error().detail;
  EXPECT_EQ(*subject, (Subject{{"L", "#1"}, {"OU", "Grüße"}, {"O", " x "}, {"CN", "a,b+c\\d"}}));
  EXPECT_EQ(*parse_subject(subject_text(*subject)), *subject) << subject_text(*subject);
}

TEST(ParseSubject, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"gw-17", "CN=", "CN=a,", "CN=a,,O=b", "=a", "XX=a", "CN=a+OU=b", "CN=#0401ff", "CN=\"a\"",
                           "CN=a\\", "CN=a\\x", "CN=a\\4", "CN=a;O=b", "CN=<a>"}) {
    expect_failure(parse_subject(text), FailureKind::kConfiguration, "subject");
  }
  expect_failure(parse_subject("CN=" + std::string(kMaxSubjectText, 'a')), FailureKind::kConfiguration, "1,024");
  std::string many = "OU=0";
  for (size_t i = 0; i < kMaxSubjectParts; ++i) many += ",OU=x";
  expect_failure(parse_subject(many), FailureKind::kConfiguration, "16 parts");
}

TEST(MakeName, HoldsTheLimitsOfX520) {
  EXPECT_TRUE(make_name({{"C", "DE"}, {"CN", std::string(64, 'a')}}));
  expect_failure(make_name({{"C", "DEU"}}), FailureKind::kConfiguration, "C \"DEU\"");
  expect_failure(make_name({{"CN", std::string(65, 'a')}}), FailureKind::kConfiguration, "CN");
  expect_failure(make_name({{"CN", "\xff"}}), FailureKind::kConfiguration, "CN");
  expect_failure(make_name({{"CN", ""}}), FailureKind::kConfiguration, "CN");
  expect_failure(make_name({{"nonsense", "a"}}), FailureKind::kConfiguration, "nonsense");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace wvds::est
