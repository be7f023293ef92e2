#include "tools/wvds/est/doctor/judge_certificates.h"

#include <algorithm>

namespace wvds::tool {
namespace {

constexpr int64_t kSoon = int64_t{30} * 86400;  // seconds
constexpr const char* kClientAuth = "1.3.6.1.5.5.7.3.2";
constexpr const char* kAnyUsage = "2.5.29.37.0";

// fault_text says why a certificate is of no use now; empty where it is.
std::string fault_text(const est::Certificate& certificate, int64_t now) {
  if (now < certificate.not_before()) return "is not valid before " + est::time_text(certificate.not_before());
  if (!certificate.valid_at(now)) return "expired at " + est::time_text(certificate.not_after());
  return "";
}

std::string cure_of(const est::Certificate& certificate, int64_t now, const char* otherwise) {
  return now < certificate.not_before() ? "correct the clock if it is wrong (see clock); otherwise wait until then"
                                        : otherwise;
}

bool ends_soon(const est::Certificate& certificate, int64_t now) { return certificate.not_after() < now + kSoon; }

bool may_authenticate(const est::Certificate& leaf) {
  const auto usages = leaf.extended_key_usages();
  return usages.empty() || std::ranges::find(usages, kClientAuth) != usages.end() ||
         std::ranges::find(usages, kAnyUsage) != usages.end();
}

}  // namespace

void judge_anchors(Findings& findings, const std::string& path, const std::vector<est::Certificate>& anchors,
                   int64_t now) {
  constexpr const char* kCure = "put the CA's present root certificate into the file";
  const bool is_any_valid = std::ranges::any_of(anchors, [&](const auto& anchor) { return anchor.valid_at(now); });
  for (const est::Certificate& anchor : anchors) {
    const std::string text = path + ": " + anchor.subject() + " ";
    if (const std::string fault = fault_text(anchor, now); !fault.empty()) {
      const Level level = is_any_valid ? Level::kWarning : Level::kProblem;
      findings.add({level, "trust", text + fault, cure_of(anchor, now, kCure)});
    } else if (ends_soon(anchor, now)) {
      findings.warning("trust", text + "expires soon, at " + est::time_text(anchor.not_after()), kCure);
    } else {
      findings.ok("trust", text + "is valid until " + est::time_text(anchor.not_after()));
    }
  }
}

void judge_credential(Findings& findings, const std::string& path, const est::Certificate& leaf, bool is_needed,
                      int64_t now) {
  constexpr const char* kCure = "give the device a new certificate to begin with, or a password (est.credential)";
  const std::string text = path + ": " + leaf.subject() + " ";
  const Level level = is_needed ? Level::kProblem : Level::kWarning;
  if (const std::string fault = fault_text(leaf, now); !fault.empty())
    return findings.add({level, "credential", text + fault, cure_of(leaf, now, kCure)});
  if (!may_authenticate(leaf)) {
    return findings.add({level, "credential",
                         text + "is not made for authentication: its extended key usage lacks clientAuth (" +
                             std::string(kClientAuth) + ")",
                         "let its CA issue it with clientAuth, or use a password (est.credential)"});
  }
  if (ends_soon(leaf, now))
    return findings.warning("credential", text + "expires soon, at " + est::time_text(leaf.not_after()), kCure);
  findings.ok("credential", text + "is valid until " + est::time_text(leaf.not_after()));
}

}  // namespace wvds::tool
