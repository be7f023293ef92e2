#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "crypto/certificate_key.h"
#include "est/failure.h"

namespace wvds::est_service {

// OwnKey is a key that est_service made.
struct OwnKey {
  uint32_t id = 0;
  Algorithm algorithm = Algorithm::kNone;
  std::string label;
};

// KeyService is crypto_service as est_service uses it: keys are made and used there, and never seen here. One thread.
// Every failure is kKeyService, with a sentence that says what crypto_service answered.
class KeyService {
 public:
  virtual ~KeyService() = default;

  // make_key makes a persistent key: for TLS and certificate requests, or to decapsulate with.
  virtual est::Outcome<uint32_t> make_key(Algorithm algorithm, const std::string& label) = 0;

  // import_key hands over a key that the server made, as PKCS #8 (RFC 5958).
  virtual est::Outcome<uint32_t> import_key(Algorithm algorithm, Bytes pkcs8, const std::string& label) = 0;

  // open_key gives a key that signs through crypto_service.
  virtual est::Outcome<crypto::KeyHandle> open_key(uint32_t id) = 0;

  // public_key gives the public half, of a key that does not sign too.
  virtual est::Outcome<crypto::KeyHandle> public_key(Algorithm algorithm, uint32_t id) = 0;

  // remove_key deletes a key for good; that there is none is no failure.
  virtual est::Outcome<> remove_key(uint32_t id) = 0;

  // own_keys lists the keys that this service made, by their labels.
  virtual est::Outcome<std::vector<OwnKey>> own_keys() = 0;
};

// kKeyLabel begins the label of each key that est_service makes; the certificate's name stands behind it.
inline constexpr const char* kKeyLabel = "est:";

}  // namespace wvds::est_service
