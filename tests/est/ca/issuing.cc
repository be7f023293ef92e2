#include "ca/issuing.h"

#include <openssl/x509v3.h>

#include <map>
#include <stdexcept>

namespace wvds::est_ca {
namespace {

constexpr std::int64_t kDay = 86400;

// A GENERAL_NAMES text as OpenSSL prints it ("DNS:a, IP Address:1.2.3.4") in the form in which it reads it.
std::string readable(std::string names) {
  for (std::size_t at = names.find("IP Address:"); at != std::string::npos; at = names.find("IP Address:")) {
    names.replace(at, 11, "IP:");
  }
  return names;
}

// What the CA certifies without faults
Profile right_profile(X509_REQ* request, EVP_PKEY* key, const Json& settings, std::int64_t now) {
  const Json& rules = settings.at("issue");
  return {.subject = X509_REQ_get_subject_name(request),
          .key = key,
          .not_before = now - rules.at("backdate").get<std::int64_t>(),
          .not_after = now + rules.at("lifetime").get<std::int64_t>(),
          .key_usage = is_kem(key) ? "critical,keyEncipherment" : "critical,digitalSignature",
          .extended_key_usage = is_kem(key) ? "" : rules.at("usage").get<std::string>(),
          .alternative_names = readable(alternative_names(request))};
}

using Change = void (*)(Profile&, std::int64_t now);

const std::map<std::string, Change>& changes() {
  static const Name kWrong = make_name("somebody else");
  static const std::map<std::string, Change> kChanges = {
      {"expired",
       [](Profile& p, std::int64_t now) {
         p.not_before = now - 2 * kDay;
         p.not_after = now - kDay;
       }},
      {"not-yet-valid",
       [](Profile& p, std::int64_t now) {
         p.not_before = now + kDay;
         p.not_after = now + 2 * kDay;
       }},
      {"wrong-subject", [](Profile& p, std::int64_t) { p.subject = kWrong.get(); }},
      {"wrong-names", [](Profile& p, std::int64_t) { p.alternative_names = "DNS:somebody.else.example"; }},
      {"no-names", [](Profile& p, std::int64_t) { p.alternative_names.clear(); }},
      {"ca",
       [](Profile& p, std::int64_t) {
         p.basic_constraints = "critical,CA:TRUE";
         p.key_usage = "critical,digitalSignature,keyCertSign";
       }},
      {"no-usage", [](Profile& p, std::int64_t) { p.extended_key_usage.clear(); }},
      {"wrong-usage", [](Profile& p, std::int64_t) { p.extended_key_usage = "emailProtection"; }},
      {"wrong-key-usage", [](Profile& p, std::int64_t) { p.key_usage = "critical,cRLSign"; }},
  };
  return kChanges;
}

}  // namespace

Certificate issue(Authority& authority, X509_REQ* request, EVP_PKEY* key, const Json& settings, std::int64_t now,
                  const std::string& fault) {
  Profile profile = right_profile(request, key, settings, now);
  Issuer issuer = authority.issuer("current");
  Key other;
  if (const auto change = changes().find(fault); change != changes().end()) {
    change->second(profile, now);
  } else if (fault == "other-key") {
    other = make_key(algorithm_of(key));
    profile.key = other.get();
  } else if (fault == "untrusted") {
    issuer = authority.issuer("other");
  } else if (!fault.empty() && fault != "bad-signature") {
    throw std::runtime_error("no certificate called " + fault);
  }
  const Certificate certificate = make_certificate(profile, issuer);
  authority.remember(certificate);
  return fault == "bad-signature" ? break_signature(certificate) : certificate;
}

Certificate make_server_certificate(const Authority& authority, EVP_PKEY* key, const Json& settings, std::int64_t now) {
  const Json& server = settings.at("server");
  const Name subject = make_name(server.at("common_name"));
  return make_certificate({.subject = subject.get(),
                           .key = key,
                           .not_before = now + server.at("not_before").get<std::int64_t>(),
                           .not_after = now + server.at("not_after").get<std::int64_t>(),
                           .extended_key_usage = server.at("usage"),
                           .alternative_names = server.at("names")},
                          authority.issuer(server.at("issuer")));
}

}  // namespace wvds::est_ca
