#include "est_service/tls_failure.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <string>

namespace wvds::est_service {
namespace {

using est::Failure;
using est::FailureKind;

// What X509_verify_cert found wrong with the server's certificate
FailureKind kind_of_verdict(long verdict) {
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return FailureKind::kNameMismatch;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return FailureKind::kServerExpired;
    case X509_V_ERR_INVALID_PURPOSE: return FailureKind::kMissingEku;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED: return FailureKind::kUnknownCa;
    default: return FailureKind::kTlsFailed;
  }
}

Failure by_verdict(long verdict, const TlsSides& sides) {
  return {kind_of_verdict(verdict), "the certificate of " + std::string(sides.host) +
                                        " is not accepted: " + X509_verify_cert_error_string(verdict)};
}

// Alerts of the server that are about the client's certificate (RFC 8446, section 6.2)
struct AlertMeaning {
  int alert;
  FailureKind kind;
  const char* text;
};
constexpr std::array<AlertMeaning, 9> kAboutTheCredential{{
    {SSL_AD_CERTIFICATE_EXPIRED, FailureKind::kCredentialExpired, "says that this device's certificate has expired"},
    {SSL_AD_CERTIFICATE_REVOKED, FailureKind::kCredentialRejected, "says that this device's certificate is revoked"},
    {SSL_AD_CERTIFICATE_UNKNOWN, FailureKind::kCredentialRejected, "does not accept this device's certificate"},
    {SSL_AD_BAD_CERTIFICATE, FailureKind::kCredentialRejected, "does not accept this device's certificate"},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, FailureKind::kCredentialRejected,
     "does not support this kind of device certificate"},
    {SSL_AD_UNKNOWN_CA, FailureKind::kCredentialRejected, "does not know the CA of this device's certificate"},
    {SSL_AD_ACCESS_DENIED, FailureKind::kCredentialRejected, "denies this device the access"},
    {SSL_AD_DECRYPT_ERROR, FailureKind::kCredentialRejected, "could not verify this device's signature"},
    {SSL_AD_CERTIFICATE_REQUIRED, FailureKind::kCredentialRejected,
     "demands a client certificate, and this device showed none"},
}};

Failure by_alert(int alert, const TlsSides& sides) {
  const std::string host(sides.host);
  for (const AlertMeaning& meaning : kAboutTheCredential) {
    const bool fits = sides.client_authenticates || meaning.alert == SSL_AD_CERTIFICATE_REQUIRED;
    if (meaning.alert == alert && fits) return {meaning.kind, host + " " + meaning.text};
  }
  if (alert == SSL_AD_PROTOCOL_VERSION) {
    return {FailureKind::kTlsVersion, host + " has no TLS version that the configuration allows (least_tls)"};
  }
  return {FailureKind::kTlsFailed, host + " ended the handshake: " + SSL_alert_desc_string_long(alert)};
}

// Alerts of the peer stand in the error queue as this offset and the alert.
int alert_in(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  const bool is_alert = ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET;
  return is_alert ? reason - SSL_AD_REASON_OFFSET : -1;
}

bool is_version_error(unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return false;
  const int reason = ERR_GET_REASON(error);
  return reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION || reason == SSL_R_VERSION_TOO_LOW ||
         reason == SSL_R_NO_PROTOCOLS_AVAILABLE;
}

bool is_lost(unsigned long error) {
  return error == 0 ||
         (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

// The first error is the cause; a provider's own sentence, such as crypto_service's, is in its data.
std::string cause(unsigned long error, const char* data) {
  std::array<char, 256> text{};
  ERR_error_string_n(error, text.data(), text.size());
  return std::string(text.data()) + (data != nullptr && *data != '\0' ? std::string(": ") + data : "");
}

}  // namespace

Failure tls_failure(SSL* ssl, const TlsSides& sides) {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long error = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
  const std::string text = cause(error, (flags & ERR_TXT_STRING) != 0 ? data : nullptr);
  ERR_clear_error();
  if (const int alert = alert_in(error); alert >= 0) return by_alert(alert, sides);
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0) return by_verdict(verdict, sides);
  if (is_version_error(error)) {
    return {FailureKind::kTlsVersion, std::string(sides.host) + " has no TLS version that the configuration allows"};
  }
  if (is_lost(error)) return {FailureKind::kConnectionLost, std::string(sides.host) + " closed the connection"};
  return {FailureKind::kTlsFailed, "TLS with " + std::string(sides.host) + " failed: " + text};
}

}  // namespace wvds::est_service
