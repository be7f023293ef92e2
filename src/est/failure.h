#pragma once

#include <expected>
#include <string>
#include <utility>

namespace wvds::est {

// FailureKind says why something with the EST server did not work, in words that decide what helps. The first group is
// found before a request leaves, the second on the way, the third in the server's answer, the fourth in a certificate.
enum class FailureKind {
  kConfiguration,  // what was asked for can't be done with this configuration
  kClock,          // the clock can't be right: certificates can't be judged
  kKeyService,     // crypto_service did not do its part
  kStorage,        // a file could not be written or read

  kConnectFailed,  // nobody answers at the address
  kConnectionLost,
  kTimeout,
  kTlsFailed,          // the handshake broke for another reason than those below
  kTlsVersion,         // the server offers no version that the configuration allows
  kUnknownCa,          // the server's certificate leads to no trust anchor
  kNameMismatch,       // it is for another host
  kServerExpired,      // it is not valid at this time
  kMissingEku,         // a certificate is not made for this use
  kCredentialExpired,  // the device's own certificate for authentication
  kCredentialRejected,

  kBadHttp,
  kTooLarge,
  kBadContentType,
  kBadBase64,
  kBadPkcs7,
  kBadAttributes,  // of /csrattrs
  kUnsupportedAuthentication,
  kRedirectRefused,
  kRequestRefused,  // the server refuses the CSR
  kNotOffered,      // the server does not have this operation
  kServerError,
  kRetryLater,  // 202, or 503 with Retry-After

  kWrongKey,
  kWrongNames,
  kUntrustedChain,
  kExpired,
  kNotYetValid,
  kNotUsable,  // key usage, basic constraints
  kWrongFingerprint,
};

// Failure is a kind and a sentence that names the server's own data where that helps; it never holds a secret.
struct Failure {
  FailureKind kind;
  std::string detail;
};

// Outcome is a value or a Failure.
template <class T = void>
using Outcome = std::expected<T, Failure>;

// failed builds the error side of any Outcome.
inline std::unexpected<Failure> failed(FailureKind kind, std::string detail) {
  return std::unexpected<Failure>(Failure{kind, std::move(detail)});
}

// failure_name returns a word for logs and programs ("name-mismatch"); failure_advice one sentence that says what the
// people who run the device or the CA can do. Static storage.
const char* failure_name(FailureKind kind);
const char* failure_advice(FailureKind kind);

}  // namespace wvds::est
