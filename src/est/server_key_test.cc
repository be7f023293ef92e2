#include "est/server_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include "est/check.h"
#include "est/testing/x509_fixture.h"
#include "est/x509_handles.h"

namespace wvds::est {
namespace {

using crypto::Octets;

class ServerKeys : public X509Test {};
WVDS_IN_BOTH_MODES(ServerKeys);

TEST_P(ServerKeys, AreHeldForImportWithTheirPublicHalf) {
  for (const char* algorithm : {"ML-DSA-44", "ML-DSA-87", "P-256", "P-384", "ML-KEM-768", "RSA-2048"}) {
    const KeyHandle key = factory::make_key(library(), algorithm);
    const Octets pkcs8 = factory::pkcs8_of(key.get());
    Octets received = pkcs8;
    const auto read = read_server_key(library(), received);
    ASSERT_TRUE(read) << algorithm << read.error().detail;
    EXPECT_TRUE(std::ranges::equal(read->pkcs8.expose(), pkcs8));
    EXPECT_EQ(read->key_type, algorithm);
    EXPECT_EQ(read->spki, *crypto::spki_of(key.get()));
    EXPECT_TRUE(crypto::all_zero(received)) << "what came from the network is wiped";
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(ServerKeys, FindTheirCertificate) {
  const factory::Ca ca = factory::make_ca(library(), "P-256", "CN=Root", kCaYears);
  const KeyHandle key = factory::make_key(library(), "ML-DSA-65");
  Octets received = factory::pkcs8_of(key.get());
  const auto read = read_server_key(library(), received);
  ASSERT_TRUE(read);
  const std::vector<Certificate> certificates{factory::issue(library(), ca, key.get(), kThisYear)};
  const std::vector<Certificate> anchors{ca.certificate};
  const std::vector<Certificate> none;
  EXPECT_TRUE(check_issued(library(), {.received = certificates,
                                       .spki = read->spki,
                                       .subject = {},
                                       .anchors = anchors,
                                       .intermediates = none,
                                       .now = kNow}));
}

TEST_P(ServerKeys, AreRefusedInOtherForms) {
  const KeyHandle key = factory::make_key(library(), "P-256");
  const auto refused = [&](Octets bytes, FailureKind kind, const char* detail) {
    expect_failure(read_server_key(library(), bytes), kind, detail);
    EXPECT_TRUE(crypto::all_zero(bytes));
  };
  const Octets pkcs8 = factory::pkcs8_of(key.get());
  Octets longer = pkcs8;
  longer.push_back(std::byte{0});
  refused(longer, FailureKind::kBadPkcs7, "not a PKCS#8 key");
  refused({pkcs8.begin(), pkcs8.end() - 1}, FailureKind::kBadPkcs7, "not a PKCS#8 key");
  refused({}, FailureKind::kBadPkcs7, "not a PKCS#8 key");
  refused(Octets(kMaxServerKeyBytes + 1), FailureKind::kTooLarge, "32769 bytes");
  refused(*crypto::spki_of(key.get()), FailureKind::kBadPkcs7, "not a PKCS#8 key");
  const factory::Ca ca = factory::make_ca(library(), "P-256", "CN=Root", kCaYears);
  refused(factory::certs_only({ca.certificate}), FailureKind::kBadPkcs7, "a PKCS#7 message");

  const Pkcs8Handle plain(EVP_PKEY2PKCS8(key.get()));
  const Handle<X509_SIG, X509_SIG_free> encrypted(PKCS8_encrypt_ex(-1, EVP_aes_256_cbc(), "password", 8, nullptr, 16,
                                                                   2048, plain.get(), library().context(), nullptr));
  ASSERT_NE(encrypted, nullptr);
  refused(encoded_by(i2d_X509_SIG, encrypted.get()), FailureKind::kBadPkcs7, "an encrypted PKCS#8 key");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace wvds::est
