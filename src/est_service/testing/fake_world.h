#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "est/testing/certificate_factory.h"
#include "est_service/agent.h"
#include "platform/testing/fake_disk.h"

// What the agent works with, in memory: a CA that can do what CAs do, keys, a disk that loses what was not synced, and
// a time that the test sets. Certificates and checks are real.
namespace wvds::est_service::fakes {

inline constexpr int64_t kDay = 86400;
inline constexpr int64_t kYear = 365 * kDay;

// FakeServer is an EST server with a CA behind it.
class FakeServer : public Server {
 public:
  FakeServer(const crypto::Library& library, std::string algorithm, int64_t now);

  est::Outcome<WipedBuffer> ca_certificates(const Access& access) override;
  est::Outcome<std::optional<WipedBuffer>> csr_attributes(const Access& access) override;
  est::Outcome<EnrollAnswer> enroll(const Access& access, est::Operation operation,
                                    const MakeRequest& make_request) override;
  est::Outcome<WipedBuffer> renewal_info(const Access& access, const std::string& certificate_id) override;

  // roll_over gives the CA a new key, and puts both link certificates up (RFC 4210, section 4.4).
  void roll_over(int64_t now);

  const est::factory::Ca& ca() const { return roots_.back(); }
  const est::Certificate& root() const { return roots_.back().certificate; }

  bool reachable = true;
  bool password_right = true;
  bool hangs_up = false;             // on who shows a certificate
  bool accepts_certificates = true;  // of clients
  int64_t leaf_lifetime = 90 * kDay;
  int64_t ca_lifetime = 8 * kYear;
  int64_t clock_offset = 0;  // of the CA's clock
  int laters = 0;            // so many times the answer is 202
  int64_t later_seconds = 300;
  std::optional<est::Failure> enroll_failure;
  std::optional<std::string> hint;  // JSON
  std::optional<std::vector<std::byte>> attributes;
  est::factory::LeafOptions leaf;  // what is issued where `obeys_request` is false
  bool obeys_request = true;
  std::string wrong_key;  // algorithm of another key that is certified instead

  std::vector<std::string> log;  // each request: "simpleenroll password"
  std::vector<std::vector<std::byte>> requests;

 private:
  est::Outcome<> meet(const Access& access);
  est::Outcome<std::string> authenticate(const Access& access) const;
  std::vector<est::Certificate> ca_list() const;
  void make_own_certificate();

  const crypto::Library& library_;
  const std::string algorithm_;
  std::vector<est::factory::Ca> roots_;
  std::vector<est::Certificate> links_;
  std::optional<est::Certificate> shown_;  // in TLS
};

// FakeKeys is crypto_service: it outlives restarts of est_service.
class FakeKeys : public KeyService {
 public:
  explicit FakeKeys(const crypto::Library& library) : library_(library) {}

  est::Outcome<uint32_t> make_key(Algorithm algorithm, const std::string& label) override;
  est::Outcome<uint32_t> import_key(Algorithm algorithm, Bytes pkcs8, const std::string& label) override;
  est::Outcome<crypto::KeyHandle> open_key(uint32_t id) override;
  est::Outcome<crypto::KeyHandle> public_key(Algorithm algorithm, uint32_t id) override;
  est::Outcome<> remove_key(uint32_t id) override;
  est::Outcome<std::vector<OwnKey>> own_keys() override;

  bool reachable = true;
  size_t made = 0;

 private:
  struct Key {
    OwnKey what;
    std::shared_ptr<EVP_PKEY> key;
  };
  const crypto::Library& library_;
  std::map<uint32_t, Key> keys_;
};

// FakeWorld puts them together. restart() is a reboot: only disk and keys stay.
class FakeWorld {
 public:
  explicit FakeWorld(const crypto::Library& library, std::string ca_algorithm = "P-256",
                     Algorithm key_type = Algorithm::kEcdsaP256);

  void restart();
  int64_t step(const std::set<Wish>& wishes = {}) { return agent->step(now, wishes); }

  // run steps until `until`, each time when the agent wants it.
  void run(int64_t until);

  const CertificateStatus& certificate(size_t index = 0) const;

  const crypto::Library& library;
  config::Est config;
  int64_t now = 1800000000;  // 2027-01-15
  FakeServer server;
  FakeKeys keys;
  platform::testing::FakeVolume volume;
  platform::testing::Faults faults;
  Board board;
  std::vector<std::string> installed;
  std::optional<Surroundings> surroundings;
  std::unique_ptr<Agent> agent;

 private:
  std::optional<Folder> folder_;
  std::mt19937_64 random_{17};
  mutable std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace wvds::est_service::fakes
