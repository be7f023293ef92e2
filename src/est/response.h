#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/wiped.h"
#include "est/challenge.h"
#include "est/failure.h"
#include "est/http.h"
#include "est/operation.h"
#include "est/url.h"

// What an EST server's answer means for the request that it answers (RFC 7030, sections 3.2 and 4; RFC 8951).
namespace wvds::est {

inline constexpr size_t kMaxRedirects = 3;
inline constexpr size_t kMaxServerText = 512;  // characters of the server's own explanation
inline constexpr int64_t kMinRetryAfter = 1;   // seconds
inline constexpr int64_t kMaxRetryAfter = 86400;

// Body is the data that was asked for: DER (PKCS#7 or CSR attributes), or JSON of renewal-info.
struct Body {
  WipedBuffer data;
};

// ServerMadeKey is the answer to /serverkeygen (RFC 7030, section 4.4.2).
struct ServerMadeKey {
  WipedBuffer key;  // PKCS#8, or where encrypted a CMS EnvelopedData
  bool encrypted = false;
  WipedBuffer certificate;  // PKCS#7
};

// Authenticate: the request is to be sent again with an answer to one of these.
struct Authenticate {
  std::vector<Challenge> challenges;
};

// Retry: the same request is to be sent again, after `seconds` where the server names a time. To people it is a Failure
// kRetryLater with this detail.
struct Retry {
  std::optional<int64_t> seconds;  // kMinRetryAfter to kMaxRetryAfter
  bool accepted = false;           // 202: the server works on it; otherwise it is overloaded (503, 429)
  std::string detail;
};

// Redirect: the same request is to be sent again for another target, on the same server.
struct Redirect {
  std::string target;
};

struct NothingDemanded {};

using Judgement = std::variant<Body, ServerMadeKey, Authenticate, Retry, Redirect, NothingDemanded>;

// Asked is the request that was answered.
struct Asked {
  const ServerUrl& server;
  Operation operation;
  std::string_view target;
  size_t redirects = 0;  // followed so far for this request
};

// judge_response says what to do with an answer. `now` (Unix seconds) turns a date into a time to wait, where the
// answer has no Date field of its own. Kinds: kBadContentType, kBadBase64, kTooLarge, kBadHttp, kRedirectRefused,
// kNotOffered, kRequestRefused and kServerError with the server's own text.
Outcome<Judgement> judge_response(const Asked& asked, HttpResponse response, int64_t now);

// retry_after reads the Retry-After field (RFC 9110, section 10.2.3): seconds or a date, held within the bounds above;
// nothing where there is none or it can't be read. A date is compared with the answer's own Date field, where it has
// one: a device's clock may be wrong.
std::optional<int64_t> retry_after(const HttpResponse& response, int64_t now);

// server_time is what the server's clock says (the Date field), to find a wrong clock. Nothing where it does not say.
std::optional<int64_t> server_time(const HttpResponse& response, int64_t now);

}  // namespace wvds::est
