// TLS with keys of the service at both ends: libssl signs with them in handshakes.

#include <openssl/err.h>

#include <csignal>
#include <tuple>

#include "ossl_provider/provider_bed.h"

namespace wvds::test {
namespace {

struct Identity {
  Pkey key;
  Certificate certificate;
};

// Case: the program's FIPS mode, the TLS version, and the algorithm of both keys.
using Case = std::tuple<crypto::FipsMode, int, wvds_algorithm>;

class OsslProviderTls : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { ASSERT_TRUE(service.start()); }

  Identity identity(wvds_algorithm algorithm) {
    auto key = ossl_provider::load_key(program.context(),
                                       uri_of(service, make_key(service, algorithm, WVDS_USAGE_TLS_AND_CSR)));
    EXPECT_TRUE(key) << key.error().detail;
    if (!key) return {};
    Certificate certificate = self_signed(program, key->get(), algorithm);
    EXPECT_TRUE(certificate) << errors_now();
    return {std::move(*key), std::move(certificate)};
  }

  // end makes one end that shows `own` and takes only the certificate `other`.
  SslCtx end(const SSL_METHOD* method, const Identity& own, X509* other) {
    SslCtx end(SSL_CTX_new_ex(program.context(), nullptr, method));
    SSL_CTX_set_min_proto_version(end.get(), version);
    SSL_CTX_set_max_proto_version(end.get(), version);
    EXPECT_EQ(SSL_CTX_use_certificate(end.get(), own.certificate.get()), 1) << errors_now();
    EXPECT_EQ(SSL_CTX_use_PrivateKey(end.get(), own.key.get()), 1) << errors_now();
    EXPECT_EQ(SSL_CTX_check_private_key(end.get()), 1) << errors_now();
    EXPECT_EQ(X509_STORE_add_cert(SSL_CTX_get_cert_store(end.get()), other), 1);
    SSL_CTX_set_verify(end.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return end;
  }

  // shake runs the handshake between two ends in memory; false when one of them fails.
  static bool shake(SSL* client, SSL* server) {
    BIO* one = nullptr;
    BIO* other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    bool done[2] = {};
    for (int round = 0; round < 1000 && !(done[0] && done[1]); ++round) {
      for (SSL* ssl : {client, server}) {
        const int answer = SSL_do_handshake(ssl);
        const int reason = SSL_get_error(ssl, answer);
        done[ssl == server] = answer == 1;
        if (answer != 1 && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) return false;
      }
    }
    return done[0] && done[1];
  }

  const int version = std::get<1>(GetParam());
  const wvds_algorithm algorithm = std::get<2>(GetParam());
  Program program{std::get<0>(GetParam())};
  Daemon service;
};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = wvds_algorithm_name(std::get<2>(info.param));
  std::erase(name, '-');
  return (std::get<0>(info.param) == crypto::FipsMode::kRequired ? "Fips" : "NoFips") +
         std::string(std::get<1>(info.param) == TLS1_3_VERSION ? "Tls13" : "Tls12") + name;
}

// ML-DSA is for TLS 1.3 only.
INSTANTIATE_TEST_SUITE_P(Tls13, OsslProviderTls,
                         ::testing::Combine(::testing::Values(crypto::FipsMode::kRequired, crypto::FipsMode::kOff),
                                            ::testing::Values(TLS1_3_VERSION), ::testing::ValuesIn(kSigners)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Tls12, OsslProviderTls,
                         ::testing::Combine(::testing::Values(crypto::FipsMode::kRequired, crypto::FipsMode::kOff),
                                            ::testing::Values(TLS1_2_VERSION),
                                            ::testing::Values(WVDS_ECDSA_P256, WVDS_ECDSA_P384)),
                         case_name);

TEST_P(OsslProviderTls, BothEndsProveThemselves) {
  const Identity device = identity(algorithm);
  const Identity host = identity(algorithm);
  ASSERT_TRUE(device.certificate && host.certificate);
  const SslCtx client = end(TLS_client_method(), device, host.certificate.get());
  const SslCtx server = end(TLS_server_method(), host, device.certificate.get());
  const SslEnd client_end(SSL_new(client.get()));
  const SslEnd server_end(SSL_new(server.get()));
  ASSERT_TRUE(shake(client_end.get(), server_end.get())) << errors_now();
  EXPECT_EQ(SSL_version(client_end.get()), version);
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(client_end.get()), host.certificate.get()), 0);
  EXPECT_EQ(X509_cmp(SSL_get0_peer_certificate(server_end.get()), device.certificate.get()), 0);
}

TEST_P(OsslProviderTls, WithoutTheServiceTheHandshakeFailsAndSaysWhy) {
  const Identity device = identity(algorithm);
  const Identity host = identity(algorithm);
  ASSERT_TRUE(device.certificate && host.certificate);
  const SslCtx client = end(TLS_client_method(), device, host.certificate.get());
  const SslCtx server = end(TLS_server_method(), host, device.certificate.get());
  service.stop();
  const SslEnd client_end(SSL_new(client.get()));
  const SslEnd server_end(SSL_new(server.get()));
  EXPECT_FALSE(shake(client_end.get(), server_end.get()));
  EXPECT_NE(errors_now().find("CONNECT_FAILED"), std::string::npos);
}

}  // namespace
}  // namespace wvds::test
