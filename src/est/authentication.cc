#include "est/authentication.h"

#include <algorithm>

#include "est/text.h"

namespace wvds::est {
namespace {

constexpr size_t kShown = 100;
constexpr uint32_t kMaxRefusals = 3;

bool offers_auth(const std::string& qop) {
  FieldReader reader(qop);
  while (!reader.at_end()) {
    const auto word = reader.token();
    if (word && equal_ignoring_case(*word, "auth")) return true;
    if (!word && !reader.accept(',') && !reader.skip_blanks()) return false;
  }
  return false;
}

// Rating of one challenge: a scheme, or why it is not taken.
struct Rating {
  std::optional<Scheme> scheme;
  std::string why;
};

Rating rate_md5(const crypto::Library& library) {
  if (library.fips_required() || library.fips_state() == crypto::FipsState::kActive) {
    return {std::nullopt, "Digest with MD5, which FIPS forbids (let the server offer SHA-256)"};
  }
  return {Scheme::kDigestMd5, ""};
}

// RFC 7616, section 3.3. A server that offers no qop is one of RFC 2069: its answers can be replayed.
Rating rate_digest(const Challenge& challenge, const crypto::Library& library) {
  const std::string* algorithm = challenge.parameter("algorithm");
  const std::string* qop = challenge.parameter("qop");
  if (challenge.parameter("realm") == nullptr || challenge.parameter("nonce") == nullptr) {
    return {std::nullopt, "Digest without realm or nonce"};
  }
  if (qop == nullptr || !offers_auth(*qop)) return {std::nullopt, "Digest without qop=auth"};
  if (algorithm == nullptr || equal_ignoring_case(*algorithm, "MD5")) return rate_md5(library);
  if (equal_ignoring_case(*algorithm, "SHA-256")) return {Scheme::kDigestSha256, ""};
  return {std::nullopt, "Digest with " + printable(*algorithm, kShown)};
}

Rating rate(const Challenge& challenge, const AuthenticationPolicy& policy, const crypto::Library& library) {
  if (challenge.scheme == "digest") {
    return policy.digest ? rate_digest(challenge, library) : Rating{std::nullopt, "Digest, which is switched off"};
  }
  if (challenge.scheme == "basic") {
    return policy.basic ? Rating{Scheme::kBasic, ""} : Rating{std::nullopt, "Basic, which is switched off"};
  }
  return {std::nullopt, printable(challenge.scheme, kShown)};
}

int rank(Scheme scheme) {
  switch (scheme) {
    case Scheme::kDigestSha256: return 3;
    case Scheme::kDigestMd5: return 2;
    case Scheme::kBasic: return 1;
  }
  return 0;
}

std::string text_parameter(const Challenge& challenge, std::string_view name) {
  const std::string* value = challenge.parameter(name);
  return value == nullptr ? std::string() : *value;
}

ChosenScheme chosen_from(const Challenge& challenge, Scheme scheme) {
  ChosenScheme chosen;
  chosen.scheme = scheme;
  chosen.realm = text_parameter(challenge, "realm");
  if (scheme == Scheme::kBasic) return chosen;
  chosen.nonce = text_parameter(challenge, "nonce");
  chosen.algorithm = text_parameter(challenge, "algorithm");
  if (const std::string* opaque = challenge.parameter("opaque")) chosen.opaque = *opaque;
  chosen.hash_username = equal_ignoring_case(text_parameter(challenge, "userhash"), "true");
  chosen.stale = equal_ignoring_case(text_parameter(challenge, "stale"), "true");
  return chosen;
}

}  // namespace

const char* scheme_name(Scheme scheme) {
  switch (scheme) {
    case Scheme::kBasic: return "Basic";
    case Scheme::kDigestSha256: return "Digest with SHA-256";
    case Scheme::kDigestMd5: return "Digest with MD5";
  }
  return "";
}

Outcome<ChosenScheme> choose_scheme(const std::vector<Challenge>& challenges, const AuthenticationPolicy& policy,
                                    const crypto::Library& library) {
  const Challenge* best = nullptr;
  Scheme best_scheme{};
  std::string refused;
  for (const Challenge& challenge : challenges) {
    const Rating rating = rate(challenge, policy, library);
    if (!rating.scheme) {
      refused += (refused.empty() ? "" : ", ") + rating.why;
    } else if (best == nullptr || rank(*rating.scheme) > rank(best_scheme)) {
      best = &challenge;
      best_scheme = *rating.scheme;
    }
  }
  if (best != nullptr) return chosen_from(*best, best_scheme);
  return failed(FailureKind::kUnsupportedAuthentication, refused.empty()
                                                             ? "the server wants authentication and does not say which"
                                                             : "the server offers only: " + refused);
}

Authenticator::Authenticator(const crypto::Library& library, std::string username, crypto::LockedBytes password,
                             AuthenticationPolicy policy)
    : library_(library), username_(std::move(username)), password_(std::move(password)), policy_(policy) {}

Failure Authenticator::rejected(const std::string& why) const { return {FailureKind::kCredentialRejected, why}; }

// A refused answer to a challenge that was used for the first time means that the credentials are wrong. One to a
// challenge of earlier requests may mean that it has grown old, whether or not the server says so.
Outcome<> Authenticator::challenged(const std::vector<Challenge>& challenges) {
  auto next = choose_scheme(challenges, policy_, library_);
  if (!next) return std::unexpected(std::move(next.error()));
  const std::string place =
      std::string(scheme_name(next->scheme)) + ", realm \"" + printable(next->realm, kShown) + "\"";
  if (!has_credentials()) {
    return std::unexpected(rejected("the server wants user name and password (" + place +
                                    "), and none are configured; or it does not accept the client certificate"));
  }
  const bool fresh = chosen_ && uses_ == 1 && !next->stale;
  if (fresh || (uses_ > 0 && ++refusals_ >= kMaxRefusals)) {
    return std::unexpected(
        rejected("the server refuses user \"" + printable(username_, kShown) + "\" (" + place + ")"));
  }
  chosen_ = std::move(*next);
  uses_ = 0;
  return {};
}

Outcome<WipedBuffer> Authenticator::authorization(std::string_view method, std::string_view target, Bytes random) {
  if (!chosen_) return WipedBuffer();
  ++uses_;
  return authorization_value(library_, *chosen_, {username_, password_.expose()}, {method, target, uses_, random});
}

void Authenticator::accepted() { refusals_ = 0; }

}  // namespace wvds::est
