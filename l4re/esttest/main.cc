// wvds_esttest is the gateway on L4Re: it relays for est_service, and asks it for its certificate. The EST server,
// which a gateway would reach over the network, is in the same task.
//
// "wvds_esttest first" lets est_service enrol and renew. "wvds_esttest again", with another est_service on the same
// sectors, must find the same certificate without a server, and a failure by its name when it wants to renew.
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ca/ossl.h"
#include "l4re/esttest/relay.h"
#include "l4re/esttest/server.h"
#include "wvds_crypto.h"

namespace wvds::test {
namespace {

constexpr uint32_t kAnswerMs = 120'000;   // where everything is emulated
constexpr uint32_t kChangeMs = 1200'000;  // an enrolment takes minutes there

void must(bool right, const std::string& what) {
  if (!right) throw std::runtime_error(what);
}

void must(wvds_status status, const char* what) {
  must(status == WVDS_SUCCESS, std::string(what) + ": " + wvds_status_text(status));
}

struct Certificate {
  wvds_est_certificate_state state;
  std::string pem;
};

// Client asks est_service.
class Client {
 public:
  Client() {
    must(wvds_connect(&session_, "est", kAnswerMs), "connecting to est_service");
    must(wvds_set_timeout(session_, kAnswerMs), "setting the time for answers");
  }
  ~Client() { wvds_disconnect(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // wait_for waits until the one certificate is as it should be, and gives it.
  Certificate wait_for(const char* what, const std::function<bool(const wvds_est_certificate_state&)>& is_right) {
    auto all = std::make_unique<wvds_est_state>();
    for (uint64_t known = 0;; known = all->generation) {
      uint64_t next = 0;
      if (known != 0) must(wvds_est_wait(session_, &next, known, kChangeMs), what);
      must(wvds_est_status(session_, all.get()), "status");
      must(all->num_certificates == 1, "est_service must have one certificate");
      say(*all);
      if (is_right(all->certificates[0])) return {all->certificates[0], chain(all->certificates[0].key_id)};
    }
  }

  void renew() { must(wvds_est_renew(session_, "device", WVDS_EST_RENEW_NOW), "asking for a renewal"); }

 private:
  static void say(const wvds_est_state& all) {
    const wvds_est_certificate_state& one = all.certificates[0];
    std::printf("esttest: phase %u key %u failure \"%s\" %s; CA failure \"%s\" %s\n", static_cast<unsigned>(one.phase),
                static_cast<unsigned>(one.key_id), one.failure.name, one.failure.detail, all.ca_failure.name,
                all.ca_failure.detail);
  }

  std::string chain(uint32_t expected_key) {
    std::vector<char> pem(WVDS_EST_MAX_PEM_SIZE);
    size_t length = 0;
    uint32_t key_id = 0;
    const auto status =
        wvds_est_certificate(session_, pem.data(), &length, pem.size(), &key_id, "device", WVDS_EST_CURRENT);
    must(status, "reading the certificate");
    must(key_id == expected_key && key_id != 0, "certificate and status must name the same key");
    return {pem.data(), length};
  }

  wvds_session* session_ = nullptr;
};

// check verifies the certificate with the root that the device had from the beginning.
void check(const Certificate& certificate) {
  const est_ca::Certificate leaf = est_ca::certificate_from_pem(certificate.pem);
  est_ca::Bytes root(4096);
  std::FILE* file = std::fopen("/rom/est-root.pem", "rb");
  must(file != nullptr, "there is no /rom/est-root.pem");
  root.resize(std::fread(root.data(), 1, root.size(), file));
  std::fclose(file);
  const est_ca::Certificate anchor =
      est_ca::certificate_from_pem({reinterpret_cast<const char*>(root.data()), root.size()});
  must(X509_verify(leaf.get(), X509_get0_pubkey(anchor.get())) == 1, "the certificate must be signed by the root");
  must(est_ca::algorithm_of(X509_get0_pubkey(leaf.get())) == "ML-DSA-65",
       "the certificate must be for an ML-DSA-65 key");
  must(est_ca::alternative_names(leaf.get()) == "DNS:gateway.example", "the certificate must have the name wished for");
}

void print(const Certificate& certificate) {
  std::printf("esttest: certificate ");
  for (const uint8_t byte : certificate.state.fingerprint) std::printf("%02x", byte);
  std::printf(" key %u\n", static_cast<unsigned>(certificate.state.key_id));
}

bool is_valid(const wvds_est_certificate_state& state) { return state.phase == WVDS_EST_VALID; }

void enrol_and_renew() {
  Server server;
  const Relay relay(&server);
  Client client;
  const Certificate first = client.wait_for("enrolling", is_valid);
  check(first);
  print(first);
  client.renew();
  const Certificate second = client.wait_for("renewing", [&](const wvds_est_certificate_state& state) {
    return is_valid(state) && std::memcmp(state.fingerprint, first.state.fingerprint, sizeof state.fingerprint) != 0;
  });
  check(second);
  print(second);
  must(second.state.key_id == first.state.key_id, "the key must have stayed");
  const auto asked = [log = server.log()](const char* line) {
    return std::ranges::any_of(log, [&](const std::string& one) { return one.starts_with(line); });
  };
  must(asked("simpleenroll basic 200 TLSv1.3 X25519MLKEM768"), "the first request must come with the password");
  must(asked("simplereenroll certificate 200 TLSv1.3 X25519MLKEM768"), "the second with the certificate");
  std::printf("esttest: ENROLLED AND RENEWED\n");
}

void find_again() {
  const Relay relay(nullptr);
  Client client;
  const Certificate found = client.wait_for("reading", [](const auto&) { return true; });
  must(is_valid(found.state), "the certificate must be there at once");
  check(found);
  print(found);
  client.renew();
  const Certificate kept = client.wait_for("failing to renew", [](const wvds_est_certificate_state& state) {
    return std::string(state.failure.name) == "connect-failed";
  });
  must(kept.pem == found.pem, "the certificate must have stayed");
  std::printf("esttest: FOUND AGAIN\n");
}

}  // namespace
}  // namespace wvds::test

int main(int argc, char** argv) try {
  const bool again = argc > 1 && std::string(argv[1]) == "again";
  if (again) {
    wvds::test::find_again();
  } else {
    wvds::test::enrol_and_renew();
  }
  return 0;
} catch (const std::exception& error) {
  std::printf("esttest: error: %s\n", error.what());
  return 1;
}
