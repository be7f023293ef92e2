#include "est/check.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "crypto/openssl_error.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

namespace wvds::est {
namespace {

constexpr const char* kOidClientAuth = "1.3.6.1.5.5.7.3.2";
constexpr const char* kOidServerAuth = "1.3.6.1.5.5.7.3.1";

// 112 bits: RSA of 2,048 bits, no SHA-1. What FIPS 140-3 and CAs of today have as their least.
constexpr int kSecurityLevel = 2;
constexpr int kMaxChainDepth = 8;

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::unexpected<Failure> expired(const Certificate& certificate, int64_t now) {
  return failed(FailureKind::kExpired, "the certificate of " + quoted(certificate.subject()) + " was valid until " +
                                           time_text(certificate.not_after()) + ", and it is " + time_text(now));
}

std::unexpected<Failure> not_yet_valid(const Certificate& certificate, int64_t now) {
  return failed(FailureKind::kNotYetValid, "the certificate of " + quoted(certificate.subject()) + " is valid from " +
                                               time_text(certificate.not_before()) + " on, and it is " +
                                               time_text(now));
}

bool is_for_key(const Certificate& certificate, const IssuedCheck& check) {
  return check.key != nullptr ? certificate.has_key(check.key) : certificate.has_spki(check.spki);
}

Outcome<Certificate> find_leaf(const IssuedCheck& check) {
  std::string subjects;
  for (const Certificate& one : check.received) {
    if (is_for_key(one, check)) return one;
    subjects += (subjects.empty() ? "" : ", ") + quoted(one.subject()) + " (" + one.key_type() + ")";
  }
  if (subjects.empty()) subjects = "none";
  return failed(FailureKind::kWrongKey, "no certificate for the requested key; received: " + subjects);
}

Outcome<> check_validity(const Certificate& leaf, const IssuedCheck& check) {
  if (check.now >= leaf.not_after()) return expired(leaf, check.now);
  if (check.now + check.clock_tolerance < leaf.not_before()) return not_yet_valid(leaf, check.now);
  return {};
}

Outcome<> check_extended_usage(const Certificate& leaf, const char* wanted, const char* name) {
  const std::vector<std::string> usages = leaf.extended_key_usages();
  if (usages.empty() && X509_get_ext_by_NID(leaf.get(), NID_ext_key_usage, -1) < 0) return {};
  if (std::ranges::find(usages, wanted) != usages.end()) return {};
  return failed(FailureKind::kMissingEku, "the certificate's extended key usage lacks " + std::string(name));
}

Outcome<> check_use(const Certificate& leaf, Purpose purpose) {
  if (!leaf.extensions_readable())
    return failed(FailureKind::kNotUsable, "the certificate has an extension that can't be read");
  if ((X509_get_extension_flags(leaf.get()) & (EXFLAG_CA | EXFLAG_CRITICAL)) != 0)
    return failed(FailureKind::kNotUsable, (X509_get_extension_flags(leaf.get()) & EXFLAG_CA) != 0
                                               ? "it is a CA certificate"
                                               : "it has a critical extension that is not understood");
  const bool establishes = purpose == Purpose::kKeyEstablishment;
  if (!leaf.allows_key_usage(establishes ? KU_KEY_ENCIPHERMENT : KU_DIGITAL_SIGNATURE))
    return failed(FailureKind::kNotUsable, std::string("the certificate's key usage lacks ") +
                                               (establishes ? "keyEncipherment" : "digitalSignature"));
  if (purpose == Purpose::kTlsClient) return check_extended_usage(leaf, kOidClientAuth, "clientAuth (TLS client)");
  if (purpose == Purpose::kTlsServer) return check_extended_usage(leaf, kOidServerAuth, "serverAuth (TLS server)");
  return {};
}

Outcome<> check_subject(const Certificate& leaf, const IssuedCheck& check) {
  const Subject found = leaf.subject_parts();
  const bool right = check.name_rule == NameRule::kExact
                         ? found == check.subject
                         : std::ranges::all_of(check.subject, [&](const SubjectPart& part) {
                             return std::ranges::find(found, part) != found.end();
                           });
  if (right || check.name_rule == NameRule::kSubjectIsTheCas) return {};
  return failed(FailureKind::kWrongNames, "the certificate's subject is " + quoted(leaf.subject()) +
                                              ", and was requested as " + quoted(subject_text(check.subject)));
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

// missing returns the first requested name that the certificate lacks; empty when all are there.
std::string missing(const std::vector<std::string>& wanted, const std::vector<std::string>& found,
                    std::string (*normal)(std::string)) {
  for (const std::string& name : wanted) {
    const auto same = [&](const std::string& other) { return normal(other) == normal(name); };
    if (std::ranges::none_of(found, same)) return name;
  }
  return "";
}

Outcome<> check_names(const Certificate& leaf, const IssuedCheck& check) {
  if (auto right = check_subject(leaf, check); !right) return right;
  const Names found = leaf.names();
  // NOLINTBEGIN(performance-unnecessary-value-param): as missing() takes them
  const auto as_it_is = [](std::string text) { return text; };
  const auto as_address = [](std::string text) { return normal_ip(text); };
  // NOLINTEND(performance-unnecessary-value-param)
  std::string lacking = missing(check.names.dns, found.dns, lower);
  if (lacking.empty()) lacking = missing(check.names.ip, found.ip, as_address);
  if (lacking.empty()) lacking = missing(check.names.uri, found.uri, as_it_is);
  if (lacking.empty()) lacking = missing(check.names.email, found.email, as_it_is);
  if (lacking.empty()) return {};
  return failed(FailureKind::kWrongNames, "the certificate lacks the requested alternative name " + quoted(lacking));
}

std::unexpected<Failure> chain_failure(const crypto::Library& library, X509_STORE_CTX* context, int64_t now) {
  const int error = X509_STORE_CTX_get_error(context);
  X509* where = X509_STORE_CTX_get_current_cert(context);
  crypto::clear_openssl_errors();
  const auto certificate = where != nullptr ? Certificate::wrap(library, where) : fail(Status::kInternalError);
  if (certificate && error == X509_V_ERR_CERT_HAS_EXPIRED) return expired(*certificate, now);
  if (certificate && error == X509_V_ERR_CERT_NOT_YET_VALID) return not_yet_valid(*certificate, now);
  std::string detail = X509_verify_cert_error_string(error);
  if (certificate)
    detail +=
        ", at the certificate of " + quoted(certificate->subject()) + ", issued by " + quoted(certificate->issuer());
  return failed(FailureKind::kUntrustedChain, std::move(detail));
}

BorrowedCertificates borrowed(const std::vector<Certificate>& list) {
  BorrowedCertificates stack(sk_X509_new_null());
  for (const Certificate& one : list) {
    if (stack && sk_X509_push(stack.get(), one.get()) == 0) stack.reset();
  }
  return stack;
}

Outcome<Chain> chain_of(const crypto::Library& library, const ChainRequest& request, X509_STORE_CTX* context) {
  const STACK_OF(X509)* found = X509_STORE_CTX_get0_chain(context);
  const int count = sk_X509_num(found);
  std::vector<Certificate> rest;
  for (int i = 1; i < count; ++i) {
    auto one = Certificate::wrap(library, sk_X509_value(found, i));
    if (!one) return failed(FailureKind::kUntrustedChain, one.error().detail);
    rest.push_back(std::move(*one));
  }
  if (rest.empty()) return Chain{request.leaf, {}, request.leaf};  // the leaf is an anchor itself
  const Certificate anchor = rest.back();
  rest.pop_back();
  return Chain{request.leaf, std::move(rest), anchor};
}

}  // namespace

Outcome<Chain> find_chain(const crypto::Library& library, const ChainRequest& request) {
  const X509StoreHandle store(X509_STORE_new());
  const BorrowedCertificates untrusted = borrowed(request.untrusted);
  const X509StoreCtxHandle context(X509_STORE_CTX_new_ex(library.context(), nullptr));
  bool ready = store && untrusted && context;
  for (const Certificate& anchor : request.anchors)
    ready = ready && X509_STORE_add_cert(store.get(), anchor.get()) == 1;
  if (!ready || X509_STORE_CTX_init(context.get(), store.get(), request.leaf.get(), untrusted.get()) != 1)
    return openssl_failed(FailureKind::kUntrustedChain, "the chain can't be verified");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(request.now));
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_depth(parameters, kMaxChainDepth);
  if (request.purpose == Purpose::kTlsClient) X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
  if (request.purpose == Purpose::kTlsServer) X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(context.get()) != 1) return chain_failure(library, context.get(), request.now);
  return chain_of(library, request, context.get());
}

Outcome<Chain> check_issued(const crypto::Library& library, const IssuedCheck& check) {
  auto leaf = find_leaf(check);
  if (!leaf) return std::unexpected(std::move(leaf.error()));
  Outcome<> right = check_validity(*leaf, check);
  if (right) right = check_use(*leaf, check.purpose);
  if (right) right = check_names(*leaf, check);
  if (!right) return std::unexpected(std::move(right.error()));

  std::vector<Certificate> untrusted = check.received;
  untrusted.insert(untrusted.end(), check.intermediates.begin(), check.intermediates.end());
  const int64_t time = std::max(check.now, leaf->not_before());  // within the clock's tolerance
  return find_chain(library, {*leaf, check.anchors, untrusted, time, check.purpose});
}

}  // namespace wvds::est
