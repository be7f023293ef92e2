#include "est/failure.h"

#include <iterator>

namespace wvds::est {
namespace {

struct Words {
  FailureKind kind;
  const char* name;
  const char* advice;
};

// One line a kind, in the order of the enumeration: words_of finds them by position.
constexpr Words kWords[] = {
    {FailureKind::kConfiguration, "configuration", "Change config.json where the detail says so, and try again."},
    {FailureKind::kClock, "clock",
     "Set the device's clock (or wait for its time synchronisation): certificates can't be judged without the time."},
    {FailureKind::kKeyService, "key-service",
     "See whether crypto_service runs, and whether this program may use the device key: the detail has its answer."},
    {FailureKind::kStorage, "storage", "Make room, or repair the rights of the folder that the detail names."},

    {FailureKind::kConnectFailed, "connect-failed",
     "Check the server's address and port, the network and the firewall between."},
    {FailureKind::kConnectionLost, "connection-lost",
     "The connection broke off: the request is sent again later; look at the network or the server's log if it stays."},
    {FailureKind::kTimeout, "timeout", "The server did not answer in time: see whether it is overloaded or blocked."},
    {FailureKind::kTlsFailed, "tls-failed",
     "The TLS handshake failed: compare the detail with the server's own log and its TLS settings."},
    {FailureKind::kTlsVersion, "tls-version",
     "Let the server offer TLS 1.3, or allow TLS 1.2 in config.json if that is acceptable."},
    {FailureKind::kUnknownCa, "unknown-ca",
     "Give config.json the root certificate that the server's certificate was issued under, or the right server."},
    {FailureKind::kNameMismatch, "name-mismatch",
     "Use a host name that the server's certificate holds, or give the server a certificate for this name."},
    {FailureKind::kServerExpired, "server-expired",
     "Renew the server's certificate, or correct the device's clock if that is what is wrong."},
    {FailureKind::kMissingEku, "missing-eku",
     "The CA must issue the certificate with the extended key usage that the detail names."},
    {FailureKind::kCredentialExpired, "credential-expired",
     "The device's own certificate is not valid any more: enrol anew with a bootstrap password or certificate."},
    {FailureKind::kCredentialRejected, "credential-rejected",
     "The server does not accept user name, password or client certificate: check that it knows this device."},

    {FailureKind::kBadHttp, "bad-http", "The answer is not HTTP as an EST server sends it: check address and path."},
    {FailureKind::kTooLarge, "too-large", "The server sent more than any right answer holds: check what runs there."},
    {FailureKind::kBadContentType, "bad-content-type",
     "Something else than an EST server answers there: check the address, the path and its label."},
    {FailureKind::kBadBase64, "bad-base64", "The body is not base64: the server or a proxy in between is at fault."},
    {FailureKind::kBadPkcs7, "bad-pkcs7",
     "The body is not the certs-only message that RFC 7030 wants: the server is at fault."},
    {FailureKind::kBadAttributes, "bad-attributes",
     "The server's CSR attributes can't be read: its administrator has to correct them."},
    {FailureKind::kUnsupportedAuthentication, "unsupported-authentication",
     "Let the server offer a way of authentication that this mode allows, or use a client certificate."},
    {FailureKind::kRedirectRefused, "redirect-refused",
     "Redirects to another host are not followed: put the right address into config.json."},
    {FailureKind::kRequestRefused, "request-refused",
     "The CA refuses this request: compare subject, names and key type with its policy."},
    {FailureKind::kNotOffered, "not-offered", "The server does not have this operation, or has another path label."},
    {FailureKind::kServerError, "server-error", "The server failed: its log says why; it is tried again later."},
    {FailureKind::kRetryLater, "retry-later",
     "Nothing to do: the request waits at the server, maybe for a person's approval, and is repeated then."},

    {FailureKind::kWrongKey, "wrong-key",
     "The CA sent a certificate for another key, which was not installed: its administrator should know."},
    {FailureKind::kWrongNames, "wrong-names",
     "Let the CA's policy allow the requested subject and names, or request those that it issues."},
    {FailureKind::kUntrustedChain, "untrusted-chain",
     "Give config.json the root that this CA issues under; if it was exchanged, with its link certificate."},
    {FailureKind::kExpired, "expired", "Correct the device's clock, or let the CA issue a certificate that is valid."},
    {FailureKind::kNotYetValid, "not-yet-valid",
     "Correct the clock of the device or of the CA: the certificate begins to be valid later."},
    {FailureKind::kNotUsable, "not-usable",
     "The CA must issue an end-entity certificate whose key usage allows what the detail names."},
    {FailureKind::kWrongFingerprint, "wrong-fingerprint",
     "Compare the configured fingerprint with the CA's, over a way that nobody can tamper with."},
};

constexpr bool in_order() {
  for (size_t i = 0; i < std::size(kWords); ++i) {
    if (static_cast<size_t>(kWords[i].kind) != i) return false;
  }
  return static_cast<size_t>(FailureKind::kWrongFingerprint) + 1 == std::size(kWords);
}
static_assert(in_order(), "every kind has its words, at its own place");

const Words& words_of(FailureKind kind) { return kWords[static_cast<size_t>(kind)]; }

}  // namespace

const char* failure_name(FailureKind kind) { return words_of(kind).name; }
const char* failure_advice(FailureKind kind) { return words_of(kind).advice; }

}  // namespace wvds::est
