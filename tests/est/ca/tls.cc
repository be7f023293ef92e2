#include "ca/tls.h"

#include <openssl/ssl.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "ca/issuing.h"

namespace wvds::est_ca {
namespace {

int version_number(const std::string& name) {
  if (name == "1.3") return TLS1_3_VERSION;
  if (name == "1.2") return TLS1_2_VERSION;
  if (name == "1.1") return TLS1_1_VERSION;
  throw std::runtime_error("no TLS version called " + name);
}

int verify_mode(const std::string& wanted) {
  if (wanted == "none") return SSL_VERIFY_NONE;
  if (wanted == "request") return SSL_VERIFY_PEER;
  if (wanted == "require") return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  throw std::runtime_error("client_certificate is none, request or require");
}

// A CA may renew an expired certificate: RFC 7030 section 3.3.2 leaves it to the server.
int pass_expired(int valid, X509_STORE_CTX* context) {
  return valid == 1 || X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_HAS_EXPIRED ? 1 : 0;
}

void set_versions(SSL_CTX* context, const Json& tls) {
  const int least = version_number(tls.at("min"));
  // OpenSSL has versions before 1.2 only without a security level.
  if (least < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
  ensure(SSL_CTX_set_min_proto_version(context, least) == 1, "TLS version");
  ensure(SSL_CTX_set_max_proto_version(context, version_number(tls.at("max"))) == 1, "TLS version");
  ensure(SSL_CTX_set1_groups_list(context, tls.at("groups").get<std::string>().c_str()) == 1, "groups");
}

void set_client_trust(SSL_CTX* context, const Json& tls, const Authority& authority) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& root : authority.trusted()) {
    X509_STORE_add_cert(store, root.get());
    ensure(SSL_CTX_add_client_CA(context, root.get()) == 1, "client CA");
  }
  // A client may send its certificate without the CA's between.
  for (const Certificate& issuing : authority.untrusted()) X509_STORE_add_cert(store, issuing.get());
  SSL_CTX_set_verify(context, verify_mode(tls.at("client_certificate")),
                     tls.at("accept_expired") ? pass_expired : nullptr);
}

}  // namespace

TlsServer::TlsServer(const Authority& authority, const Settings& settings, std::string folder)
    : authority_(authority), settings_(settings), folder_(std::move(folder)) {
  renew_certificate();
}

void TlsServer::renew_certificate() {
  const Json settings = settings_.now();
  const Json& server = settings.at("server");
  const Key key = make_key(server.at("algorithm"));
  const Certificate certificate = make_server_certificate(authority_, key.get(), settings, settings_.time());
  std::vector<Certificate> chain = server.at("chain").is_null()
                                       ? authority_.intermediates(server.at("issuer"))
                                       : authority_.published(server.at("chain").get<std::vector<std::string>>());
  if (!folder_.empty()) write_files(key, certificate, chain);
  {
    const std::lock_guard lock(mutex_);
    key_ = key;
    certificate_ = certificate;
    chain_ = std::move(chain);
  }
  configure();
}

void TlsServer::write_files(const Key& key, const Certificate& certificate,
                            const std::vector<Certificate>& chain) const {
  std::ofstream file(folder_ + "/server.pem.new", std::ios::trunc);
  file << to_pem(key.get()) << to_pem(certificate.get());
  for (const Certificate& above : chain) file << to_pem(above.get());
  file.close();
  if (!file || std::rename((folder_ + "/server.pem.new").c_str(), (folder_ + "/server.pem").c_str()) != 0) {
    throw std::runtime_error("server.pem can't be written");
  }
}

void TlsServer::configure() {
  const Json tls = settings_.now().at("tls");
  const std::lock_guard lock(mutex_);
  SslContext context(ensure(SSL_CTX_new(TLS_server_method()), "context"), SSL_CTX_free);
  set_versions(context.get(), tls);
  ensure(SSL_CTX_use_cert_and_key(context.get(), certificate_.get(), key_.get(), nullptr, 1) == 1, "certificate");
  for (const Certificate& above : chain_) ensure(SSL_CTX_add1_chain_cert(context.get(), above.get()) == 1, "chain");
  set_client_trust(context.get(), tls, authority_);
  const Bytes id = random_bytes(16);  // sessions of other settings are not taken up again
  SSL_CTX_set_session_id_context(context.get(), id.data(), static_cast<unsigned>(id.size()));
  context_ = std::move(context);
}

SslContext TlsServer::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

}  // namespace wvds::est_ca
