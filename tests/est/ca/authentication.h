#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ca/http.h"
#include "ca/settings.h"

namespace wvds::est_ca {

// HttpAuthentication checks the Authorization header: Basic (RFC 7617), Digest with SHA-256 or MD5 (RFC 7616).
// Any thread.
class HttpAuthentication {
 public:
  // "basic", "digest-sha256", "digest-md5": how the request was authenticated; empty when it was not.
  std::string check(const HttpRequest& request, const Json& settings);
  // The values of WWW-Authenticate for a 401.
  std::vector<std::string> challenges(const Json& settings);

 private:
  std::string check_digest(const HttpRequest& request, const std::string& parameters, const Json& settings);
  std::string new_nonce();
  // Each count of a nonce once: RFC 7616 section 3.4.
  bool use_nonce(const std::string& nonce, const std::string& count);

  std::mutex mutex_;
  std::set<std::string> nonces_;
  std::set<std::string> used_;
};

}  // namespace wvds::est_ca
