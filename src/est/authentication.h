#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/wiped.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"
#include "est/challenge.h"
#include "est/failure.h"

// HTTP authentication by user name and password: Digest (RFC 7616) with SHA-256, or with MD5 where FIPS is not active,
// and Basic (RFC 7617). Only ever inside TLS.
namespace wvds::est {

struct AuthenticationPolicy {
  bool basic = true;
  bool digest = true;
};

enum class Scheme : uint8_t { kBasic, kDigestSha256, kDigestMd5 };
const char* scheme_name(Scheme scheme);

// ChosenScheme is the challenge that is answered.
struct ChosenScheme {
  Scheme scheme = Scheme::kBasic;
  std::string realm;
  std::string nonce;
  std::optional<std::string> opaque;
  std::string algorithm;  // as the server wrote it; empty: it did not, and MD5 is meant
  bool hash_username = false;
  bool stale = false;  // the last answer was right but its nonce too old
};

// choose_scheme takes the best challenge that `policy` and `library` allow: Digest with SHA-256, Digest with MD5,
// Basic. kUnsupportedAuthentication names what the server offers, and why that is not taken.
Outcome<ChosenScheme> choose_scheme(const std::vector<Challenge>& challenges, const AuthenticationPolicy& policy,
                                    const crypto::Library& library);

struct Credentials {
  std::string_view username;  // UTF-8
  Bytes password;             // UTF-8
};

inline constexpr size_t kCnonceRandom = 16;

// AuthorizedRequest is what a Digest answer is made for.
struct AuthorizedRequest {
  std::string_view method;
  std::string_view target;  // as in the request line
  uint32_t nonce_count = 1;
  Bytes random;  // kCnonceRandom fresh random bytes
};

// authorization_value gives the value of the Authorization field. It may hold the password: wiped. kConfiguration for a
// user name or password that the scheme can't carry; kUnsupportedAuthentication when the library refuses the hash.
Outcome<WipedBuffer> authorization_value(const crypto::Library& library, const ChosenScheme& chosen,
                                         const Credentials& credentials, const AuthorizedRequest& request);

// Authenticator answers one server's challenges over several requests. Not for more than one thread.
class Authenticator {
 public:
  // `library` must outlive it. An empty user name: there are no credentials.
  Authenticator(const crypto::Library& library, std::string username, crypto::LockedBytes password,
                AuthenticationPolicy policy = {});

  // challenged takes the challenges of a 401. After it the request can be sent again, with authorization(). When the
  // server has refused the very credentials: kCredentialRejected; likewise where there are none.
  Outcome<> challenged(const std::vector<Challenge>& challenges);

  // authorization gives the Authorization value for the next request; empty before the first challenge. `random`:
  // kCnonceRandom fresh random bytes.
  Outcome<WipedBuffer> authorization(std::string_view method, std::string_view target, Bytes random);

  // accepted says that a request was answered with something else than 401.
  void accepted();

  bool has_credentials() const { return !username_.empty(); }

 private:
  Failure rejected(const std::string& why) const;

  const crypto::Library& library_;
  std::string username_;
  crypto::LockedBytes password_;
  AuthenticationPolicy policy_;
  std::optional<ChosenScheme> chosen_;
  uint32_t uses_ = 0;      // of the chosen challenge
  uint32_t refusals_ = 0;  // since a request was accepted
};

}  // namespace wvds::est
