#include "config/est_section.h"

#include <gtest/gtest.h>

#include "config/service_config.h"

namespace wvds::config {
namespace {

Vocabulary vocabulary(bool linux = true) {
  Vocabulary words;
  words.operations = {"aes-encrypt"};
  words.files = linux;
  words.credentials = linux;
  return words;
}

// with_est is a config that is right but for the text inside the braces of "est", which stands in line 2.
std::string with_est(const std::string& members) {
  return "{\n\"est\": {" + members +
         "},\n\"store\": {\"path\": \"/s\", \"protector\": \"file\", \"file\": {\"key_file\": \"/k\"}},\n"
         "\"clients\": [{\"name\": \"a\", \"operations\": [\"aes-encrypt\"]}]}";
}

constexpr const char* kNeeded =
    R"("server": "https://ca:8443", "trust": {"anchors_file": "/ca.pem"}, "certificates": [{"subject": "CN=a"}])";

std::string with_needed(const std::string& members) { return with_est(kNeeded + (", " + members)); }
std::string with_certificates(const std::string& items) {
  return with_est(R"("server": "https://ca", "trust": {"anchors_file": "/ca.pem"}, "certificates": [)" + items + "]");
}

Est loaded(const std::string& text, bool linux = true) {
  auto config = load_service_config("c.json", text, vocabulary(linux));
  EXPECT_TRUE(config.has_value()) << (config ? "" : config.error());
  return config && config->est ? *config->est : Est{};
}

// refused gives the only problem's text behind file and line.
std::string refused(const std::string& text, bool linux = true) {
  auto config = load_service_config("c.json", text, vocabulary(linux));
  EXPECT_FALSE(config.has_value()) << text;
  return config ? "" : config.error().substr(config.error().find(": ") + 2);
}

TEST(EstSection, HasDefaultsForAllThatIsNotNeeded) {
  const Est est = loaded(with_est(kNeeded));
  EXPECT_EQ(est.socket_path, "/run/wvds/est.sock");
  EXPECT_EQ(est.folder, "/var/lib/wvds/est");
  EXPECT_EQ(est.transport, EstTransport::kTcp);
  EXPECT_EQ(est.least_tls, TlsVersion::kTls13);
  ASSERT_EQ(est.certificates.size(), 1u);
  EXPECT_EQ(est.certificates[0].name, "device");
  EXPECT_EQ(est.certificates[0].key_type, Algorithm::kMlDsa65);
  EXPECT_EQ(est.renewal, (EstRenewal{67, 5}));
  EXPECT_EQ(est.retry, (EstRetry{60, 3600}));
}

TEST(EstSection, TakesEverythingItSaysItTakes) {
  const Est est = loaded(with_est(R"("socket": {"path": "/e.sock", "mode": "0600"}, "folder": "/f",
    "server": "https://ca/.well-known/est/plant", "least_tls": "1.2", "timeout_s": 5,
    "trust": {"fingerprints": [")" +
                                  std::string(64, 'a') + R"("], "implicit_anchors_file": "/public.pem"},
    "credential": {"username": "gw", "password_credential": "est", "certificate_file": "/c.pem", "key_id": 7},
    "certificates": [{"name": "tls", "key_type": "ECDSA-P384", "subject": "CN=gw", "rekey": true,
                      "san": {"dns": ["gw.example"], "ip": ["192.0.2.1"], "uri": ["urn:x"], "email": ["a@b"]}},
                     {"name": "kem", "key_type": "ML-KEM-768", "subject": "CN=gw", "signed_by": "tls"}],
    "renewal": {"at_percent": 50, "jitter_percent": 0}, "retry": {"first_s": 1, "longest_s": 2},
    "after_renewal": {"command": ["/bin/true", "x"], "timeout_s": 3})"));
  EXPECT_EQ(est.socket_mode, 0600u);
  EXPECT_EQ(est.credential.password.credential, "est");
  EXPECT_EQ(est.credential.key_id, 7u);
  EXPECT_EQ(est.certificates[0].ip, std::vector<std::string>{"192.0.2.1"});
  EXPECT_TRUE(est.certificates[0].rekey);
  EXPECT_EQ(est.certificates[1].signed_by, "tls");
  EXPECT_EQ(est.after_renewal.arguments.size(), 2u);
  EXPECT_EQ(est.trust.fingerprints[0], std::string(64, 'a'));
}

TEST(EstSection, TakesFingerprintsWithColonsAsOtherProgramsWriteThem) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += (i == 0 ? "" : ":") + std::string("AB");
  const Est est = loaded(with_est(R"("server": "https://ca", "trust": {"fingerprints": [")" + text +
                                  R"("]}, "certificates": [{"subject": "CN=a"}])"));
  ASSERT_EQ(est.trust.fingerprints.size(), 1u);
  EXPECT_EQ(est.trust.fingerprints[0].size(), 64u);
}

TEST(EstSection, IsNotThereWhereTheFileHasNone) {
  const auto config =
      load_service_config("c.json", R"({"store": {"path": "/s", "protector": "file", "file": {"key_file": "/k"}},
                    "clients": [{"name": "a", "operations": ["aes-encrypt"]}]})",
                          vocabulary());
  ASSERT_TRUE(config.has_value()) << config.error();
  EXPECT_FALSE(config->est.has_value());
}

TEST(EstSection, RefusesAServerThatIsNotReachedByTls) {
  EXPECT_EQ(refused(with_est(
                R"("server": "http://ca", "trust": {"anchors_file": "/a"}, "certificates": [{"subject": "CN=a"}])")),
            "est.server: must begin with https:// (RFC 7030, section 3.3)\n");
}

TEST(EstSection, RefusesToTrustWhoeverAnswers) {
  EXPECT_EQ(refused(with_est(R"("server": "https://ca", "certificates": [{"subject": "CN=a"}])")),
            "est.trust: is missing: how the server's CA is known is needed here\n");
  EXPECT_NE(refused(with_est(R"("server": "https://ca", "trust": {}, "certificates": [{"subject": "CN=a"}])"))
                .find("any server could pose as the CA"),
            std::string::npos);
}

TEST(EstSection, RefusesAFingerprintOfAnotherHash) {
  EXPECT_EQ(
      refused(with_est(R"("server": "https://ca", "trust": {"fingerprints": ["aabb"]},
                                "certificates": [{"subject": "CN=a"}])")),
      "est.trust.fingerprints[0]: must be the SHA-256 fingerprint of a root certificate, 64 hexadecimal digits\n");
}

TEST(EstSection, RefusesHalfACredential) {
  EXPECT_EQ(refused(with_needed(R"("credential": {"password_file": "/p"})")),
            "est.credential.username: is missing: whose the password is\n");
  EXPECT_EQ(refused(with_needed(R"("credential": {"username": "gw"})")),
            "est.credential: needs exactly one of \"password_file\" or \"password_credential\"\n");
  EXPECT_EQ(refused(with_needed(R"("credential": {"certificate_file": "/c"})")),
            "est.credential.certificate_file: needs exactly one of \"key_file\" or \"key_id\" beside it\n");
  EXPECT_EQ(refused(with_needed(R"("credential": {"key_id": 1})")),
            "est.credential.certificate_file: is missing: the certificate of the key is needed here\n");
  EXPECT_NE(refused(with_needed(R"("credential": {"username": "a:b", "password_file": "/p"})")).find("colon"),
            std::string::npos);
}

TEST(EstSection, RefusesCertificatesThatCanNotBeRight) {
  EXPECT_NE(refused(with_certificates("")).find("must be a list of 1 to 16 certificates"), std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"name": "a"})")).find("est.certificates[0].subject: is missing"),
            std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a", "key_type": "RSA"})")).find("is no key type"),
            std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a", "key_type": "AES-256-GCM"})")).find("is no key type"),
            std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a"}, {"subject": "CN=b"})")).find("stands twice"),
            std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a", "name": "../a"})")).find("must be 1 to 32 letters"),
            std::string::npos);
}

TEST(EstSection, KnowsWhoSignsForAKeyThatCanNot) {
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a", "key_type": "ML-KEM-768"})")).find("can't sign"),
            std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a", "key_type": "ML-KEM-768", "signed_by": "device"})"))
                .find("is no certificate of this list with a key that signs"),
            std::string::npos);
  EXPECT_NE(refused(with_certificates(R"({"subject": "CN=a", "signed_by": "device"})")).find("for ML-KEM keys only"),
            std::string::npos);
}

TEST(EstSection, RefusesACommandThatIsNoPath) {
  EXPECT_NE(refused(with_needed(R"("after_renewal": {"command": ["reload"]})")).find("absolute path"),
            std::string::npos);
  EXPECT_NE(refused(with_needed(R"("after_renewal": {})")).find("absolute path"), std::string::npos);
}

TEST(EstSection, RefusesByNameWhatASystemWithoutNetworkCanNot) {
  EXPECT_EQ(refused(with_needed(R"("socket": {})"), false),
            "est.transport: must be \"relay\" on this system, which has no network: a client relays\n");
  EXPECT_EQ(loaded(with_needed(R"("transport": "relay")"), false).transport, EstTransport::kRelay);
  EXPECT_EQ(refused(with_needed(R"("transport": "relay", "after_renewal": {"command": ["/c"]})"), false),
            "est.after_renewal: is not available on this system\n");
}

TEST(EstSection, RefusesTimesThatContradictEachOther) {
  EXPECT_NE(refused(with_needed(R"("retry": {"first_s": 60, "longest_s": 2})")).find("must not be less than"),
            std::string::npos);
  EXPECT_NE(refused(with_needed(R"("renewal": {"at_percent": 96})")).find("from 1 to 95"), std::string::npos);
}

}  // namespace
}  // namespace wvds::config
