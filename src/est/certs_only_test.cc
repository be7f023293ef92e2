#include "est/certs_only.h"

#include <openssl/err.h>

#include "est/testing/der.h"
#include "est/testing/x509_fixture.h"

namespace wvds::est {
namespace {

using crypto::from_hex;
using crypto::Octets;
using der::joined;
using der::tlv;

// message writes a SignedData around `certificates`, with `content` behind the content type.
Octets message(const Octets& certificates, const Octets& content = {}, const char* type = "06092a864886f70d010702") {
  const Octets inner = tlv(0x30, joined({from_hex("06092a864886f70d010701"), content}));
  const Octets signed_data =
      tlv(0x30, joined({from_hex("020101"), from_hex("3100"), inner, certificates, from_hex("3100")}));
  return tlv(0x30, joined({from_hex(type), tlv(0xa0, signed_data)}));
}

class CertsOnly : public X509Test {
 protected:
  Certificate root(const char* subject = "CN=Root") const {
    return factory::make_ca(library(), "P-256", subject, kCaYears).certificate;
  }
};
WVDS_IN_BOTH_MODES(CertsOnly);

TEST_P(CertsOnly, GivesTheCertificatesOfEveryAlgorithm) {
  std::vector<Certificate> sent;
  for (const char* algorithm : signing_algorithms())
    sent.push_back(factory::make_ca(library(), algorithm, std::string("CN=") + algorithm, kCaYears).certificate);
  const auto received = parse_certs_only(library(), factory::certs_only(sent));
  ASSERT_TRUE(received) << received.error().detail;
  ASSERT_EQ(received->size(), sent.size());
  for (const Certificate& one : sent) EXPECT_NE(std::ranges::find(*received, one), received->end()) << one.subject();
}

TEST_P(CertsOnly, ReadsTheFrameAsBerToo) {
  const Octets der = root().to_der();
  const Octets end = from_hex("0000");
  const Octets inner = joined({from_hex("3080"), from_hex("06092a864886f70d010701"), end});
  const Octets ber = joined({from_hex("308006092a864886f70d010702a0803080020101"), from_hex("3100"), inner,
                             from_hex("a080"), der, end, from_hex("3100"), end, end, end});
  const auto received = parse_certs_only(library(), ber);
  ASSERT_TRUE(received) << received.error().detail;
  EXPECT_EQ(received->front().to_der(), der);
}

TEST_P(CertsOnly, PassesRevocationListsOver) {
  const Octets der = root().to_der();
  EXPECT_TRUE(parse_certs_only(library(), message(joined({tlv(0xa0, der), tlv(0xa1, tlv(0x30, from_hex("0500")))}))));
}

TEST_P(CertsOnly, RefusesPrivateKeys) {
  const factory::Ca ca = factory::make_ca(library(), "P-256", "CN=Root", kCaYears);
  const Octets key = factory::pkcs8_of(ca.key.get());
  expect_failure(parse_certs_only(library(), key), FailureKind::kBadPkcs7, "not one PKCS#7 message");
  const Octets der = ca.certificate.to_der();
  expect_failure(parse_certs_only(library(), message(tlv(0xa0, joined({der, key})))), FailureKind::kBadPkcs7,
                 "not an X.509 certificate");
  const Octets content = tlv(0xa0, tlv(0x04, key));
  expect_failure(parse_certs_only(library(), message(tlv(0xa0, der), content)), FailureKind::kBadPkcs7,
                 "content beside certificates");
}

TEST_P(CertsOnly, RefusesSignedMessages) {
  const factory::Ca ca = factory::make_ca(library(), "P-256", "CN=Root", kCaYears);
  expect_failure(parse_certs_only(library(), factory::signed_content(ca, as_bytes("hello"))), FailureKind::kBadPkcs7,
                 "is signed");
  expect_failure(parse_certs_only(library(), factory::signed_content(ca, {})), FailureKind::kBadPkcs7, "is signed");
}

TEST_P(CertsOnly, RefusesTooManyCertificatesBeforeItReadsThem) {
  const std::vector<Certificate> most(kMaxCertificates, root());
  EXPECT_TRUE(parse_certs_only(library(), factory::certs_only(most)));
  const std::vector<Certificate> more(kMaxCertificates + 1, root());
  expect_failure(parse_certs_only(library(), factory::certs_only(more)), FailureKind::kTooLarge, "33 certificates");
  Octets hollow;  // a thousand that are none
  for (int i = 0; i < 1000; ++i) hollow.insert(hollow.end(), {std::byte{0x30}, std::byte{0}});
  expect_failure(parse_certs_only(library(), message(tlv(0xa0, hollow))), FailureKind::kTooLarge, "1000 certificates");
  expect_failure(parse_certs_only(library(), Octets(kMaxCertsOnlyBytes + 1)), FailureKind::kTooLarge, "262145 bytes");
}

TEST_P(CertsOnly, RefusesOtherMessages) {
  const Octets der = root().to_der();
  const Octets good = message(tlv(0xa0, der));
  ASSERT_TRUE(parse_certs_only(library(), good));
  expect_failure(parse_certs_only(library(), message({})), FailureKind::kBadPkcs7, "no certificate");
  expect_failure(parse_certs_only(library(), message(tlv(0xa0, der), {}, "06092a864886f70d010703")),
                 FailureKind::kBadPkcs7, "pkcs7-envelopedData");
  expect_failure(parse_certs_only(library(), message(tlv(0xa0, tlv(0xa1, from_hex("0500"))))), FailureKind::kBadPkcs7,
                 "something else than X.509");
  expect_failure(parse_certs_only(library(), joined({good, from_hex("00")})), FailureKind::kBadPkcs7, "not one PKCS#7");
  expect_failure(parse_certs_only(library(), der), FailureKind::kBadPkcs7);
  expect_failure(parse_certs_only(library(), {}), FailureKind::kBadPkcs7);
  expect_failure(parse_certs_only(library(), from_hex("300b06092a864886f70d010702")), FailureKind::kBadPkcs7, "empty");
  for (size_t length = 1; length < good.size(); length += 5)
    expect_failure(parse_certs_only(library(), Bytes(good).first(length)), FailureKind::kBadPkcs7);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(CertsOnly, RefusesNestingWithoutEnd) {
  Octets nested;
  for (int i = 0; i < 60'000; ++i) nested.insert(nested.end(), {std::byte{0x30}, std::byte{0x80}});
  expect_failure(parse_certs_only(library(), nested), FailureKind::kBadPkcs7);
  Octets strings = from_hex("308006092a864886f70d010702a080");
  for (int i = 0; i < 60'000; ++i) strings.insert(strings.end(), {std::byte{0x24}, std::byte{0x80}});
  expect_failure(parse_certs_only(library(), strings), FailureKind::kBadPkcs7);
}

}  // namespace
}  // namespace wvds::est
