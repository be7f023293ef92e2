#include "est_service/testing/fake_world.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>

#include "est/check.h"
#include "est_service/file_records.h"
#include "est_service/key_types.h"

namespace wvds::est_service::fakes {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;
namespace factory = est::factory;

WipedBuffer wiped(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

crypto::KeyHandle share(EVP_PKEY* key) {
  EVP_PKEY_up_ref(key);
  return crypto::KeyHandle(key);
}

}  // namespace

FakeServer::FakeServer(const crypto::Library& library, std::string algorithm, int64_t now)
    : library_(library), algorithm_(std::move(algorithm)) {
  roots_.push_back(factory::make_ca(library_, algorithm_, "CN=Test CA", {now - kDay, now + ca_lifetime}));
  make_own_certificate();
}

void FakeServer::roll_over(int64_t now) {
  const factory::Ca& before = roots_.back();
  factory::Ca next = factory::make_ca(library_, algorithm_, "CN=Test CA", {now - 60, now + ca_lifetime});
  links_ = {
      factory::make_link(library_, next, before, {now - 60, before.certificate.not_after()}),
      factory::make_link(library_, before, next, {before.certificate.not_before(), before.certificate.not_after()})};
  roots_.push_back(std::move(next));
  make_own_certificate();
}

void FakeServer::make_own_certificate() {
  const crypto::KeyHandle key = factory::make_key(library_, "P-256");
  const est::Certificate& ca = roots_.back().certificate;
  shown_ =
      factory::issue(library_, roots_.back(), key.get(), {ca.not_before(), ca.not_after()},
                     {.subject = "CN=server", .alternative_names = "", .extended_key_usage = "serverAuth", .more = {}});
}

std::vector<est::Certificate> FakeServer::ca_list() const {
  std::vector<est::Certificate> list{root()};
  list.insert(list.end(), links_.begin(), links_.end());
  if (roots_.size() > 1) list.push_back(roots_[roots_.size() - 2].certificate);
  return list;
}

// meet is what TLS does: the server shows a certificate of its CA, and looks at the client's.
Outcome<> FakeServer::meet(const Access& access) {
  if (!reachable) return failed(FailureKind::kConnectFailed, "nobody answers");
  const est::ChainRequest chain{.leaf = *shown_, .anchors = access.anchors, .untrusted = links_, .now = access.now};
  if (!access.server_unknown && !est::find_chain(library_, chain))
    return failed(FailureKind::kUnknownCa, "the server's certificate leads to no anchor");
  if (access.identity == nullptr) return {};
  if (hangs_up) return failed(FailureKind::kConnectionLost, "the server closed the connection");
  std::vector<est::Certificate> roots;
  for (const factory::Ca& ca : roots_) roots.push_back(ca.certificate);
  const est::ChainRequest client{
      .leaf = access.identity->chain.front(), .anchors = roots, .untrusted = links_, .now = access.now};
  if (!accepts_certificates || !est::find_chain(library_, client))
    return failed(FailureKind::kCredentialRejected, "the client's certificate is not accepted");
  return {};
}

Outcome<std::string> FakeServer::authenticate(const Access& access) const {
  if (access.identity != nullptr) return "certificate";
  if (access.password_used != nullptr) {
    *access.password_used = true;
    if (password_right) return "password";
  }
  return failed(FailureKind::kCredentialRejected, "401");
}

Outcome<WipedBuffer> FakeServer::ca_certificates(const Access& access) {
  if (const auto met = meet(access); !met) return std::unexpected(met.error());
  log.push_back(access.identity != nullptr ? "cacerts certificate" : "cacerts");
  return wiped(factory::certs_only(ca_list()));
}

Outcome<std::optional<WipedBuffer>> FakeServer::csr_attributes(const Access& access) {
  if (const auto met = meet(access); !met) return std::unexpected(met.error());
  if (!attributes) return std::optional<WipedBuffer>();
  return wiped(*attributes);
}

Outcome<EnrollAnswer> FakeServer::enroll(const Access& access, est::Operation operation,
                                         const MakeRequest& make_request) {
  if (const auto met = meet(access); !met) return std::unexpected(met.error());
  const auto who = authenticate(access);
  if (!who) return std::unexpected(who.error());
  log.push_back(std::string(est::operation_info(operation).path) + " " + *who);
  auto request = make_request(as_bytes("binding"));
  if (!request) return std::unexpected(request.error());
  requests.push_back(*request);
  if (enroll_failure) return std::unexpected(*enroll_failure);
  if (laters > 0) {
    --laters;
    return Later{later_seconds, true, "later"};
  }
  const int64_t time = access.now + clock_offset;
  const factory::Validity validity{time - 60, time + leaf_lifetime};
  if (!wrong_key.empty() || !obeys_request) {
    const crypto::KeyHandle key = factory::make_key(library_, wrong_key.empty() ? "P-256" : wrong_key);
    return Issued{wiped(factory::certs_only({factory::issue(library_, roots_.back(), key.get(), validity, leaf)}))};
  }
  const EVP_PKEY* statement = access.identity == nullptr ? nullptr : access.identity->key.get();
  auto issued = factory::issue_for_request(library_, roots_.back(), *request, validity, statement);
  if (!issued) issued = factory::issue_for_request(library_, roots_.back(), *request, validity);
  if (!issued) return std::unexpected(issued.error());
  return Issued{wiped(factory::certs_only({*issued}))};
}

Outcome<WipedBuffer> FakeServer::renewal_info(const Access& access, const std::string&) {
  if (const auto met = meet(access); !met) return std::unexpected(met.error());
  if (!hint) return failed(FailureKind::kNotOffered, "404");
  return wiped(as_bytes(*hint));
}

Outcome<uint32_t> FakeKeys::make_key(Algorithm algorithm, const std::string& label) {
  if (!reachable) return failed(FailureKind::kKeyService, "not reachable");
  const auto id = static_cast<uint32_t>(++made);
  crypto::KeyHandle key = factory::make_key(library_, key_type_of(algorithm));
  keys_[id] = {{id, algorithm, label}, std::shared_ptr<EVP_PKEY>(key.release(), EVP_PKEY_free)};
  return id;
}

Outcome<uint32_t> FakeKeys::import_key(Algorithm algorithm, Bytes pkcs8, const std::string& label) {
  auto key = crypto::key_from_pkcs8(library_, pkcs8);
  if (!key) return failed(FailureKind::kKeyService, key.error().detail);
  const auto id = static_cast<uint32_t>(++made);
  keys_[id] = {{id, algorithm, label}, std::shared_ptr<EVP_PKEY>(key->release(), EVP_PKEY_free)};
  return id;
}

Outcome<crypto::KeyHandle> FakeKeys::open_key(uint32_t id) {
  const auto at = keys_.find(id);
  if (!reachable || at == keys_.end()) return failed(FailureKind::kKeyService, "no key " + std::to_string(id));
  return share(at->second.key.get());
}

Outcome<crypto::KeyHandle> FakeKeys::public_key(Algorithm, uint32_t id) { return open_key(id); }

Outcome<> FakeKeys::remove_key(uint32_t id) {
  keys_.erase(id);
  return {};
}

Outcome<std::vector<OwnKey>> FakeKeys::own_keys() {
  if (!reachable) return failed(FailureKind::kKeyService, "not reachable");
  std::vector<OwnKey> all;
  for (const auto& [id, key] : keys_) all.push_back(key.what);
  return all;
}

FakeWorld::FakeWorld(const crypto::Library& used, std::string ca_algorithm, Algorithm key_type)
    : library(used), server(used, std::move(ca_algorithm), now), keys(used) {
  config.server = "https://ca.test";
  config.credential.username = "device";
  config::EstCertificate certificate;
  certificate.key_type = key_type;
  certificate.subject = "CN=device";
  config.certificates.push_back(certificate);
}

void FakeWorld::restart() {
  agent.reset();
  surroundings.reset();
  folder_.reset();
  auto records = open_file_records(std::make_unique<platform::testing::FakeDisk>("/est", volume, faults));
  if (!records) {
    std::fprintf(stderr, "the folder does not open: %s\n", records.error().detail.c_str());
    std::abort();
  }
  folder_.emplace(library, std::move(*records));
  surroundings.emplace(Surroundings{
      .config = config,
      .library = library,
      .server = server,
      .keys = keys,
      .folder = *folder_,
      .configured_anchors = {server.root()},
      .random = [this] { return random_(); },
      .installed = [this](const std::string& name) { installed.push_back(name); },
  });
  auto loaded = Agent::load(*surroundings, board, now);
  if (!loaded) {
    std::fprintf(stderr, "the agent does not load: %s\n", loaded.error().detail.c_str());
    std::abort();
  }
  agent = std::move(*loaded);
}

void FakeWorld::run(int64_t until) {
  while (now < until) now = std::min(until, std::max(now + 1, step()));
}

const CertificateStatus& FakeWorld::certificate(size_t index) const {
  snapshot_ = board.snapshot();
  return snapshot_->certificates.at(index);
}

}  // namespace wvds::est_service::fakes
