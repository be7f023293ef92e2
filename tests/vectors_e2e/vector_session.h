#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "support/vectors.h"
#include "vectors_e2e/vector_service.h"
#include "wvds_crypto.h"

// What the vector tests share: a daemon with FIPS required, a session with it, keys of the vectors.
namespace wvds::test {

inline const uint8_t* octets_of(const Octets& octets) { return reinterpret_cast<const uint8_t*>(octets.data()); }
inline uint8_t* octets_of(Octets& octets) { return reinterpret_cast<uint8_t*>(octets.data()); }

// Tally counts the cases of one test that went through the service, and those that could not, by reason.
class Tally {
 public:
  void ran() { ++ran_; }
  void skip(const std::string& reason) { ++skipped_[reason]; }

  // finish prints both and fails unless exactly `expected` cases ran and `expected_skipped` did not.
  void finish(std::string_view what, const std::vector<LeftOut>& left_out, size_t expected,
              size_t expected_skipped = 0);

 private:
  size_t ran_ = 0;
  std::map<std::string, size_t> skipped_;
};

// SessionKey is a key of this session, deleted with the object.
class SessionKey {
 public:
  SessionKey(wvds_session* session, uint32_t id) : session_(session), id_(id) {}
  SessionKey(const SessionKey&) = delete;
  SessionKey& operator=(const SessionKey&) = delete;
  ~SessionKey() { EXPECT_EQ(wvds_key_delete(session_, id_, 0), WVDS_SUCCESS); }
  uint32_t id() const { return id_; }

 private:
  wvds_session* session_;
  uint32_t id_;
};

// KeyWish is what a vector's key is imported as.
struct KeyWish {
  Algorithm algorithm = Algorithm::kNone;
  uint32_t usages = 0;
  uint32_t flags = 0;
  wvds_key_format format = WVDS_KEY_FORMAT_SEED;
};

// VectorTest has a session with a service that has FIPS required.
class VectorTest : public testing::Test {
 protected:
  void SetUp() override;

  wvds_session* session() const { return service_->session(); }

  // import_key brings a key in; nullptr with a test failure when the service refuses it. `public_key` gets the public
  // key.
  std::unique_ptr<SessionKey> import_key(const KeyWish& wish, const Octets& material, Octets* public_key = nullptr);

  // status_of_import sends a KEY_IMPORT as it is, past the checks of the client library, and returns the service's own
  // answer.
  wvds_status status_of_import(const KeyWish& wish, const Octets& material);

 private:
  std::unique_ptr<VectorService> service_;
};

}  // namespace wvds::test
