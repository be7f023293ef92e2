#include "est/trust.h"

#include <algorithm>
#include <utility>

#include "crypto/openssl_error.h"
#include "est/check.h"
#include "est/x509_handles.h"

namespace wvds::est {
namespace {

using Certificates = std::vector<Certificate>;

constexpr int kLeastSecurityBits = 112;  // as check_issued wants of chains

bool contains(const Certificates& list, const Certificate& one) { return std::ranges::find(list, one) != list.end(); }

void add_once(Certificates& list, const Certificate& one) {
  if (!contains(list, one)) list.push_back(one);
}

// The signature of a root over itself says nothing, so that its hash may be old.
bool strong_enough(const Certificate& certificate) {
  int bits = 0;
  const bool known = X509_get_signature_info(certificate.get(), nullptr, nullptr, &bits, nullptr) == 1;
  crypto::clear_openssl_errors();
  const bool signature = (known && bits >= kLeastSecurityBits) || certificate.is_self_signed();
  return signature && crypto::security_bits(certificate.public_key()) >= kLeastSecurityBits;
}

// made_by tells whether `issuer`'s name and key made `certificate`, and may make CA certificates.
bool made_by(const Certificate& certificate, const Certificate& issuer) {
  EVP_PKEY* key = X509_get0_pubkey(issuer.get());
  const bool made = key != nullptr && issuer.is_ca() &&
                    X509_NAME_cmp(X509_get_issuer_name(certificate.get()), X509_get_subject_name(issuer.get())) == 0 &&
                    X509_verify(certificate.get(), key) == 1;
  crypto::clear_openssl_errors();
  return made;
}

// Sorted are the received certificates by what they claim to be.
struct Sorted {
  Certificates roots;
  Certificates links;  // self-issued, but by another key
  Certificates intermediates;
};

std::string validity_reason(const Certificate& one, int64_t now) {
  if (now >= one.not_after()) return "it expired at " + time_text(one.not_after());
  if (now < one.not_before()) return "it is valid from " + time_text(one.not_before()) + " on";
  return "";
}

// Expired link certificates still tell where an old certificate belongs, but can vouch for nothing: they are refused
// as everything else that is not valid.
Sorted sort(const Certificates& received, int64_t now, std::vector<Refused>& refused) {
  Sorted sorted;
  for (const Certificate& one : received) {
    std::string reason = one.is_ca() ? validity_reason(one, now) : "it is not a CA certificate";
    if (reason.empty() && !strong_enough(one)) reason = "its key or signature is too weak";
    if (!reason.empty()) {
      refused.push_back({one, std::move(reason)});
    } else if (one.is_self_signed()) {
      add_once(sorted.roots, one);
    } else {
      add_once(one.is_self_issued() ? sorted.links : sorted.intermediates, one);
    }
  }
  return sorted;
}

// Vouched is a key for the name of an anchor that was handed on to: `since` is when the anchor, or the link that came
// before, began to be valid.
struct Vouched {
  Certificate certificate;
  int64_t since;
};

// follow_links returns the links that an anchor vouches for, in one or several steps (RFC 4210, section 4.4).
std::vector<Vouched> follow_links(const Certificates& anchors, const Certificates& links) {
  std::vector<Vouched> known;
  for (const Certificate& anchor : anchors) known.push_back({anchor, anchor.not_before()});
  std::vector<Vouched> found;
  Certificates open = links;
  for (size_t next = 0; next < known.size(); ++next) {
    const Vouched voucher = known[next];  // a copy: the list grows
    std::erase_if(open, [&](const Certificate& link) {
      if (!made_by(link, voucher.certificate)) return false;
      known.push_back({link, voucher.since});
      found.push_back({link, voucher.since});
      return true;
    });
  }
  return found;
}

// root_reason says why a root can't become an anchor; empty when it can.
std::string root_reason(const Certificate& root, const std::vector<Vouched>& vouched) {
  bool linked = false;
  for (const Vouched& one : vouched) {
    if (!one.certificate.same_subject_and_key(root)) continue;
    linked = true;
    if (root.not_before() > one.since) return "";
  }
  if (linked) return "it is not younger than the trust anchor that vouches for it";
  return "no link certificate (NewWithOld, RFC 4210) of a trust anchor vouches for it";
}

void take_roots(const Sorted& sorted, const std::vector<Vouched>& vouched, CaCertificates& result) {
  for (const Certificate& root : sorted.roots) {
    if (contains(result.anchors, root)) continue;
    if (std::string reason = root_reason(root, vouched); !reason.empty()) {
      result.refused.push_back({root, std::move(reason)});
    } else {
      result.anchors.push_back(root);
      result.anchors_changed = true;
    }
  }
}

void take_links(const Sorted& sorted, const std::vector<Vouched>& vouched, CaCertificates& result) {
  for (const Certificate& link : sorted.links) {
    const bool known = std::ranges::any_of(vouched, [&](const Vouched& one) { return one.certificate == link; });
    if (known) {
      result.links.push_back(link);
    } else {
      result.refused.push_back({link, "no trust anchor made it"});
    }
  }
}

void take_intermediates(const crypto::Library& library, const Sorted& sorted, int64_t now, CaCertificates& result) {
  Certificates helpers = sorted.intermediates;
  helpers.insert(helpers.end(), result.links.begin(), result.links.end());
  for (const Certificate& one : sorted.intermediates) {
    auto chain = find_chain(library, {one, result.anchors, helpers, now});
    if (chain) {
      result.intermediates.push_back(one);
    } else {
      result.refused.push_back({one, std::move(chain.error().detail)});
    }
  }
}

Certificates valid_ones(const Certificates& list, int64_t now) {
  Certificates valid;
  for (const Certificate& one : list) {
    if (one.valid_at(now)) add_once(valid, one);
  }
  return valid;
}

std::string reasons_text(const std::vector<Refused>& refused) {
  std::string text;
  for (const Refused& one : refused) {
    text +=
        "; \"" + one.certificate.subject() + "\" (SHA-256 " + one.certificate.fingerprint_text() + "): " + one.reason;
  }
  return text;
}

std::string roots_text(const Certificates& received) {
  std::string text;
  for (const Certificate& one : received) {
    if (!one.is_self_signed()) continue;
    text += (text.empty() ? "" : ", ") + one.fingerprint_text() + " (\"" + one.subject() + "\")";
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<Certificate> CaCertificates::for_chains() const {
  Certificates all = intermediates;
  all.insert(all.end(), links.begin(), links.end());
  return all;
}

Outcome<CaCertificates> accept_ca_certificates(const crypto::Library& library, const Certificates& current,
                                               const Certificates& received, int64_t now) {
  CaCertificates result;
  result.anchors = valid_ones(current, now);
  if (result.anchors.empty())
    return failed(FailureKind::kExpired,
                  "none of the " + std::to_string(current.size()) + " trust anchors is valid at " + time_text(now));
  result.anchors_changed = result.anchors.size() != current.size();

  const Sorted sorted = sort(received, now, result.refused);
  const std::vector<Vouched> vouched = follow_links(result.anchors, sorted.links);
  const bool known_root =
      std::ranges::any_of(sorted.roots, [&](const Certificate& root) { return contains(result.anchors, root); });
  take_roots(sorted, vouched, result);
  take_links(sorted, vouched, result);
  take_intermediates(library, sorted, now, result);
  if (!known_root && result.links.empty() && result.intermediates.empty())
    return failed(FailureKind::kUntrustedChain,
                  "no CA certificate that was received leads to a trust anchor" + reasons_text(result.refused));
  return result;
}

Outcome<CaCertificates> accept_by_fingerprint(const crypto::Library& library, const Certificates& received,
                                              const std::vector<Fingerprint>& expected, int64_t now) {
  Certificates roots;
  for (const Certificate& one : received) {
    const bool wanted = std::ranges::find(expected, one.fingerprint()) != expected.end();
    if (wanted && one.is_ca() && one.is_self_signed()) add_once(roots, one);
  }
  if (roots.empty())
    return failed(FailureKind::kWrongFingerprint,
                  "no root has a configured SHA-256 fingerprint; the server's roots: " + roots_text(received));
  if (valid_ones(roots, now).empty())
    return failed(now < roots.front().not_before() ? FailureKind::kNotYetValid : FailureKind::kExpired,
                  "the root \"" + roots.front().subject() + "\" is valid from " +
                      time_text(roots.front().not_before()) + " to " + time_text(roots.front().not_after()) +
                      ", and it is " + time_text(now));
  auto result = accept_ca_certificates(library, roots, received, now);
  if (result) result->anchors_changed = true;
  return result;
}

Outcome<CaCertificates> accept_from_trusted_server(const crypto::Library& library, const Certificates& received,
                                                   int64_t now) {
  std::vector<Refused> refused;
  const Sorted sorted = sort(received, now, refused);
  if (sorted.roots.empty())
    return failed(FailureKind::kUntrustedChain, "the server sent no root certificate" + reasons_text(refused));
  auto result = accept_ca_certificates(library, sorted.roots, received, now);
  if (result) result->anchors_changed = true;
  return result;
}

}  // namespace wvds::est
