#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>

#include "faults/bed.h"

// Clients that make, use, rotate and delete keys until their service is gone, and know afterwards what must be there.
namespace wvds::test {

// Nonce is the id of a key, and a nonce that was used with it. The versions of a key are not told apart: no two of them
// may share a nonce either, as far as chance goes.
struct Nonce {
  uint32_t key = 0;
  std::array<uint8_t, WVDS_AES_NONCE_SIZE> bytes{};
  bool operator==(const Nonce&) const = default;
};
struct NonceHash {
  size_t operator()(const Nonce& nonce) const;
};
using Nonces = std::unordered_set<Nonce, NonceHash>;

// HeldKey is what a client was told of a stored key of its own, and what it made with it: one sample a version.
struct HeldKey {
  wvds_algorithm algorithm = WVDS_AES_256_GCM;
  uint32_t newest = 1;
  uint32_t versions = 1;
  uint64_t uses = 0;  // of the newest version
  std::vector<Octets> samples{};
};

class LoadClient {
 public:
  LoadClient(uint64_t seed, uint32_t shared_key) : random_(seed), shared_key_(shared_key) {}

  // live works until the service does not answer any more. Any other failure is one of the test. For a thread of its
  // own.
  void live(const std::string& address);

  // settle compares what it was told with what the service has after its restart, `listed` being all its keys, and
  // takes over what a change that was under way came to. It returns the ids that it knows.
  std::set<uint32_t> settle(wvds_session* session, const std::set<uint32_t>& listed);

  // take_nonces returns those of the last life.
  std::vector<Nonce> take_nonces() { return std::exchange(fresh_, {}); }
  std::vector<uint32_t> take_issued() { return std::exchange(issued_, {}); }

  bool was_generating() const { return under_way_ && under_way_->step == Step::kGenerate; }
  // may_be_gone tells whether it deleted the key, or was just doing so.
  bool may_be_gone(uint32_t key) const;
  size_t acknowledged() const { return acknowledged_; }
  size_t deleted() const { return deleted_.size(); }

 private:
  enum class Step { kGenerate, kRotate, kDelete, kUse };
  struct UnderWay {
    Step step = Step::kUse;
    uint32_t key = 0;
  };

  // Each returns false when the service is gone.
  bool work(wvds_session* session);
  bool make(wvds_session* session);
  bool make_for_session(wvds_session* session);
  bool renew(wvds_session* session, uint32_t key);
  bool remove(wvds_session* session, uint32_t key);
  bool use(wvds_session* session, uint32_t key);
  bool encrypt_some(wvds_session* session, uint32_t key, HeldKey* held);
  bool open_a_sample(wvds_session* session, uint32_t key, const HeldKey& held);
  bool sign_something(wvds_session* session, uint32_t key, HeldKey& held);
  bool done(wvds_status status, const char* what, uint32_t key);

  void settle_change(wvds_session* session, const std::set<uint32_t>& listed);
  void compare(wvds_session* session, uint32_t key, HeldKey& held);

  std::mt19937_64 random_;
  const uint32_t shared_key_;
  std::map<uint32_t, HeldKey> keys_;
  std::set<uint32_t> deleted_;
  std::vector<Nonce> fresh_;
  std::vector<uint32_t> issued_;
  std::optional<UnderWay> under_way_;
  size_t acknowledged_ = 0;
};

}  // namespace wvds::test
