#include "est/csr.h"

#include <openssl/err.h>

#include "est/testing/x509_fixture.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

namespace wvds::est {
namespace {

using crypto::Octets;

class Csr : public X509Test {
 protected:
  CsrSpec spec() const {
    CsrSpec spec;
    spec.subject = *parse_subject("CN=gw-17,O=WvdS");
    return spec;
  }
};
WVDS_IN_BOTH_MODES(Csr);

X509ReqHandle read_request(const crypto::Library& library, Bytes der) {
  X509_REQ* parsed = X509_REQ_new_ex(library.context(), nullptr);
  const unsigned char* position = octets_of(der);
  return X509ReqHandle(d2i_X509_REQ(&parsed, &position, static_cast<long>(der.size())));
}

// attribute_of returns the one value of an attribute; null when the request has none.
const ASN1_TYPE* attribute_of(X509_REQ* request, const char* oid) {
  const ObjectHandle object(OBJ_txt2obj(oid, 1));
  const int at = X509_REQ_get_attr_by_OBJ(request, object.get(), -1);
  return at < 0 ? nullptr : X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(request, at), 0);
}

TEST_P(Csr, AreIssuedForByACaOfEveryAlgorithm) {
  for (const char* algorithm : signing_algorithms()) {
    const factory::Ca ca = factory::make_ca(library(), algorithm, "CN=Root", kCaYears);
    const KeyHandle key = factory::make_key(library(), algorithm);
    CsrSpec wanted = spec();
    wanted.key_type = algorithm;
    wanted.names = {.dns = {"gw-17.example"}, .ip = {"192.0.2.1", "2001:db8::1"}, .uri = {"urn:dev:17"}, .email = {}};
    const auto request = make_csr(library(), wanted, key.get());
    ASSERT_TRUE(request) << algorithm << request.error().detail;
    const auto issued = factory::issue_for_request(library(), ca, *request, kThisYear);
    ASSERT_TRUE(issued) << algorithm << issued.error().detail;
    EXPECT_EQ(issued->subject(), "CN=gw-17,O=WvdS");
    EXPECT_EQ(issued->key_type(), algorithm);
    EXPECT_TRUE(issued->has_key(key.get()));
    EXPECT_EQ(issued->names().dns, wanted.names.dns);
    EXPECT_EQ(issued->names().ip, (std::vector<std::string>{"192.0.2.1", "2001:db8:0:0:0:0:0:1"}));
    EXPECT_EQ(issued->names().uri, wanted.names.uri);
    EXPECT_EQ(issued->extended_key_usages(), std::vector<std::string>{"1.3.6.1.5.5.7.3.2"});
    EXPECT_TRUE(issued->allows_key_usage(KU_DIGITAL_SIGNATURE));
    EXPECT_FALSE(issued->allows_key_usage(KU_KEY_ENCIPHERMENT));
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Csr, CarryTheChannelBindingAsChallengePassword) {
  const KeyHandle key = factory::make_key(library(), "P-256");
  CsrSpec wanted = spec();
  wanted.wants_binding = true;
  expect_failure(make_csr(library(), wanted, key.get()), FailureKind::kConfiguration, "linked to the TLS session");
  wanted.challenge_password = "q83vEjRWeJA+/w==";
  const auto request = make_csr(library(), wanted, key.get());
  ASSERT_TRUE(request) << request.error().detail;
  const X509ReqHandle parsed = read_request(library(), *request);
  const ASN1_TYPE* value = attribute_of(parsed.get(), "1.2.840.113549.1.9.7");
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(utf8_of(value->value.asn1_string), wanted.challenge_password);
  wanted.challenge_password = std::string(256, 'A');
  expect_failure(make_csr(library(), wanted, key.get()), FailureKind::kConfiguration, "challenge password");
}

TEST_P(Csr, TakeSubjectAndNamesOfTheCertificateThatTheyRenew) {
  const factory::Ca ca = factory::make_ca(library(), "P-256", "CN=Root", kCaYears);
  const KeyHandle key = factory::make_key(library(), "ML-DSA-65");
  const Certificate old =
      factory::issue(library(), ca, key.get(), kThisYear,
                     {.subject = "CN=old,serialNumber=17", .alternative_names = "DNS:a,otherName:1.2.3;UTF8:x"});
  CsrSpec wanted = spec();
  wanted.names.dns = {"other"};
  wanted.renews = old;
  const auto request = make_csr(library(), wanted, key.get());
  ASSERT_TRUE(request) << request.error().detail;
  const auto renewed = factory::issue_for_request(library(), ca, *request, kThisYear);
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->subject(), "CN=old,serialNumber=17");
  const int at = X509_get_ext_by_NID(old.get(), NID_subject_alt_name, -1);
  const int new_at = X509_get_ext_by_NID(renewed->get(), NID_subject_alt_name, -1);
  EXPECT_EQ(ASN1_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(old.get(), at)),
                            X509_EXTENSION_get_data(X509_get_ext(renewed->get(), new_at))),
            0);
}

TEST_P(Csr, HoldFurtherExtensionsInPlaceOfTheirOwn) {
  const KeyHandle key = factory::make_key(library(), "P-384");
  const factory::Ca ca = factory::make_ca(library(), "P-384", "CN=Root", kCaYears);
  CsrSpec wanted = spec();
  wanted.extensions.push_back({"2.5.29.37", false, crypto::from_hex("300a06082b06010505070301")});  // serverAuth
  wanted.extensions.push_back({"1.2.3.4", true, crypto::from_hex("0500")});
  const auto request = make_csr(library(), wanted, key.get());
  ASSERT_TRUE(request) << request.error().detail;
  const auto issued = factory::issue_for_request(library(), ca, *request, kThisYear);
  ASSERT_TRUE(issued);
  EXPECT_EQ(issued->extended_key_usages(), std::vector<std::string>{"1.3.6.1.5.5.7.3.1"});
  const ObjectHandle own(OBJ_txt2obj("1.2.3.4", 1));
  EXPECT_GE(X509_get_ext_by_OBJ(issued->get(), own.get(), -1), 0);
}

TEST_P(Csr, AreRefusedWhereTheyCantBeRight) {
  const KeyHandle key = factory::make_key(library(), "P-256");
  const auto refused = [&](auto change, const char* detail) {
    CsrSpec wanted = spec();
    change(wanted);
    expect_failure(make_csr(library(), wanted, key.get()), FailureKind::kConfiguration, detail);
  };
  refused([](CsrSpec& s) { s.key_type = "ML-DSA-65"; }, "the key is P-256, and the request is to be for ML-DSA-65");
  refused([](CsrSpec& s) { s.subject.clear(); }, "neither a subject nor an alternative name");
  refused([](CsrSpec& s) { s.subject[0].value = std::string(65, 'x'); }, "the subject's O");
  refused([](CsrSpec& s) { s.names.dns = {"two words"}; }, "\"two words\"");
  refused([](CsrSpec& s) { s.names.ip = {"192.0.2"}; }, "\"192.0.2\"");
  refused([](CsrSpec& s) { s.key_usages = {"signing"}; }, "\"signing\"");
  refused([](CsrSpec& s) { s.extended_key_usages = {"clientauth?"}; }, "\"clientauth?\"");
  refused([](CsrSpec& s) { s.extensions.push_back({"not a number", false, {}}); }, "\"not a number\"");
  const KeyHandle kem = factory::make_key(library(), "ML-KEM-768");
  expect_failure(make_csr(library(), spec(), kem.get()), FailureKind::kConfiguration, "can't sign its own request");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Csr, WithoutASubjectHaveCriticalAlternativeNames) {
  const KeyHandle key = factory::make_key(library(), "P-256");
  CsrSpec wanted = spec();
  wanted.subject.clear();
  wanted.names.dns = {"gw-17.example"};
  const auto request = make_csr(library(), wanted, key.get());
  ASSERT_TRUE(request) << request.error().detail;
  const X509ReqHandle parsed = read_request(library(), *request);
  const ExtensionsHandle list(X509_REQ_get_extensions(parsed.get()));
  const int at = X509v3_get_ext_by_NID(list.get(), NID_subject_alt_name, -1);
  ASSERT_GE(at, 0);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509v3_get_ext(list.get(), at)), 1);
}

class KemCsr : public X509Test {
 protected:
  void SetUp() override {
    ca_ = std::make_unique<factory::Ca>(factory::make_ca(library(), "ML-DSA-65", "CN=Root", kCaYears));
    key_ = factory::make_key(library(), "ML-DSA-44");
    certificate_ = std::make_unique<Certificate>(
        factory::issue(library(), *ca_, key_.get(), kThisYear, {.subject = "CN=gw-17", .alternative_names = "DNS:gw"}));
  }
  std::unique_ptr<factory::Ca> ca_;
  KeyHandle key_;
  std::unique_ptr<Certificate> certificate_;
};
WVDS_IN_BOTH_MODES(KemCsr);

TEST_P(KemCsr, AreSignedByTheStatementsKeyAndHoldItsCertificate) {
  for (const char* algorithm : {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"}) {
    const KeyHandle kem = factory::make_key(library(), algorithm);
    const Octets spki = *crypto::spki_of(kem.get());
    const auto request = make_kem_csr(library(), {}, spki, {*certificate_, key_.get()});
    ASSERT_TRUE(request) << request.error().detail;
    const auto issued = factory::issue_for_request(library(), *ca_, *request, kThisYear, key_.get());
    ASSERT_TRUE(issued) << issued.error().detail;
    EXPECT_EQ(issued->key_type(), algorithm);
    EXPECT_TRUE(issued->has_spki(spki));
    EXPECT_EQ(issued->subject(), "CN=gw-17");
    EXPECT_EQ(issued->names().dns, std::vector<std::string>{"gw"});
    EXPECT_TRUE(issued->allows_key_usage(KU_KEY_ENCIPHERMENT));
    EXPECT_FALSE(issued->allows_key_usage(KU_DIGITAL_SIGNATURE));
    EXPECT_TRUE(issued->extended_key_usages().empty());
  }
}

// SEQUENCE { SEQUENCE { issuer, serialNumber }, certificate }
TEST_P(KemCsr, NameTheSignerByIssuerAndSerialNumber) {
  const KeyHandle kem = factory::make_key(library(), "ML-KEM-768");
  const auto request = make_kem_csr(library(), {}, *crypto::spki_of(kem.get()), {*certificate_, key_.get()});
  ASSERT_TRUE(request) << request.error().detail;
  const X509ReqHandle parsed = read_request(library(), *request);
  const ASN1_TYPE* statement = attribute_of(parsed.get(), "1.3.6.1.4.1.22112.2.1");
  ASSERT_NE(statement, nullptr);
  ASSERT_EQ(statement->type, V_ASN1_SEQUENCE);
  const Bytes bytes = bytes_of(statement->value.sequence);
  const unsigned char* position = octets_of(bytes);
  const AnyListHandle fields(d2i_ASN1_SEQUENCE_ANY(nullptr, &position, static_cast<long>(bytes.size())));
  ASSERT_EQ(sk_ASN1_TYPE_num(fields.get()), 2);
  const Bytes held = bytes_of(sk_ASN1_TYPE_value(fields.get(), 1)->value.sequence);
  EXPECT_TRUE(std::ranges::equal(held, certificate_->to_der()));
  const Bytes named = bytes_of(sk_ASN1_TYPE_value(fields.get(), 0)->value.sequence);
  const unsigned char* start = octets_of(named);
  const Handle<PKCS7_ISSUER_AND_SERIAL, PKCS7_ISSUER_AND_SERIAL_free> signer(
      d2i_PKCS7_ISSUER_AND_SERIAL(nullptr, &start, static_cast<long>(named.size())));
  ASSERT_NE(signer, nullptr);
  EXPECT_EQ(X509_NAME_cmp(signer->issuer, X509_get_issuer_name(certificate_->get())), 0);
  EXPECT_EQ(ASN1_INTEGER_cmp(signer->serial, X509_get0_serialNumber(certificate_->get())), 0);
}

TEST_P(KemCsr, AreRefusedForKeysThatSignAndForAnotherSigner) {
  const KeyHandle kem = factory::make_key(library(), "ML-KEM-768");
  const KeyHandle other = factory::make_key(library(), "ML-DSA-44");
  const Octets spki = *crypto::spki_of(kem.get());
  expect_failure(make_kem_csr(library(), {}, *crypto::spki_of(other.get()), {*certificate_, key_.get()}),
                 FailureKind::kConfiguration, "signs its own request");
  expect_failure(make_kem_csr(library(), {}, spki, {*certificate_, other.get()}), FailureKind::kConfiguration,
                 "with its own key");
  expect_failure(make_kem_csr(library(), {}, Bytes(spki).first(40), {*certificate_, key_.get()}),
                 FailureKind::kConfiguration);
  const Certificate other_use =
      factory::issue(library(), *ca_, key_.get(), kThisYear, {.key_usage = "critical,keyAgreement"});
  expect_failure(make_kem_csr(library(), {}, spki, {other_use, key_.get()}), FailureKind::kConfiguration,
                 "certificate for signatures");
}

}  // namespace
}  // namespace wvds::est
