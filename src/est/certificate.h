#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

namespace wvds::est {

inline constexpr size_t kMaxCertificateBytes = 64 << 10;
inline constexpr size_t kMaxPemBytes = 256 << 10;
inline constexpr size_t kMaxCertificates = 32;

using Fingerprint = std::array<std::byte, 32>;

// Names are the entries of a subject alternative name (RFC 5280, section 4.2.1.6) that the product knows.
struct Names {
  std::vector<std::string> dns;
  std::vector<std::string> ip;  // "192.0.2.1", "2001:db8::1"
  std::vector<std::string> uri;
  std::vector<std::string> email;

  bool empty() const { return dns.empty() && ip.empty() && uri.empty() && email.empty(); }
  bool operator==(const Names&) const = default;
};

// SubjectPart is one attribute of a distinguished name; `type` is the short name ("CN") or, where there is none, the
// object identifier ("1.2.3").
struct SubjectPart {
  std::string type;
  std::string value;  // UTF-8

  bool operator==(const SubjectPart&) const = default;
};
using Subject = std::vector<SubjectPart>;  // in the order of the encoding

// subject_text writes a subject as RFC 4514 does: the last part first, separated by commas, escaped.
std::string subject_text(const Subject& subject);

// Certificate is an X.509 certificate (RFC 5280) that was parsed completely; nothing about it is trusted yet. Copies
// share one object. Immutable, but for what OpenSSL caches under its own lock: thread-safe.
class Certificate {
 public:
  // from_der takes one certificate with nothing after it, of at most kMaxCertificateBytes; its dates must be readable.
  // kInvalidPayload, with a sentence that says what was wrong.
  static Result<Certificate> from_der(const crypto::Library& library, Bytes der);

  // from_pem takes the one certificate of a PEM text, list_from_pem all of them (1 to kMaxCertificates, at most
  // kMaxPemBytes). Text between the blocks is passed over; a block of another kind, such as a private key, is refused.
  static Result<Certificate> from_pem(const crypto::Library& library, std::string_view pem);
  static Result<std::vector<Certificate>> list_from_pem(const crypto::Library& library, std::string_view pem);

  // wrap takes a share in a certificate that OpenSSL made (in the library's context).
  static Result<Certificate> wrap(const crypto::Library& library, X509* certificate);

  // Never empty: where there is no memory both throw std::bad_alloc.
  std::vector<std::byte> to_der() const;
  std::string to_pem() const;

  std::string subject() const;  // RFC 4514
  std::string issuer() const;
  Subject subject_parts() const;
  std::string serial() const;  // hexadecimal, capitals
  int64_t not_before() const { return not_before_; }
  int64_t not_after() const { return not_after_; }
  bool valid_at(int64_t time) const { return not_before_ <= time && time < not_after_; }  // the end as OpenSSL has it
  const Fingerprint& fingerprint() const { return fingerprint_; }
  std::string fingerprint_text() const;  // hexadecimal, as `openssl x509 -fingerprint -sha256` without colons

  // names returns the subject alternative names; entries of other kinds are left out.
  Names names() const;
  std::vector<std::string> extended_key_usages() const;  // object identifiers; empty: no such extension
  bool allows_key_usage(uint32_t key_usage) const;       // KU_ bits of OpenSSL; true without the extension
  bool extensions_readable() const;                      // false when OpenSSL can't make sense of one

  // is_ca: basicConstraints says so and no key usage contradicts (RFC 5280, sections 4.2.1.3 and 4.2.1.9).
  bool is_ca() const;
  bool is_self_issued() const;  // subject and issuer are the same name
  bool is_self_signed() const;  // and its own key verifies it

  std::string key_type() const;  // as crypto::key_type_name; empty for a key that OpenSSL can't read
  const EVP_PKEY* public_key() const;
  std::vector<std::byte> spki() const;  // DER SubjectPublicKeyInfo
  bool has_key(const EVP_PKEY* key) const;
  bool has_spki(Bytes spki) const;
  bool same_subject_and_key(const Certificate& other) const;

  X509* get() const { return x509_.get(); }
  bool operator==(const Certificate& other) const { return fingerprint_ == other.fingerprint_; }

 private:
  Certificate() = default;

  std::shared_ptr<X509> x509_;
  int64_t not_before_ = 0;
  int64_t not_after_ = 0;
  Fingerprint fingerprint_{};
};

// fingerprint_from_text reads 64 hexadecimal digits, with or without colons between the bytes; kInvalidPayload.
Result<Fingerprint> fingerprint_from_text(std::string_view text);

// time_text writes Unix seconds as "2026-11-23 09:53:11 UTC"; years over 9999 as "never".
std::string time_text(int64_t seconds);

}  // namespace wvds::est
