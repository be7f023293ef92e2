#include "est/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <new>
#include <utility>

#include "crypto/kdf.h"
#include "crypto/openssl_error.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

namespace wvds::est {
namespace {

using crypto::openssl_failure;

// unreadable is the failure of a parser. Where OpenSSL found no memory that says nothing about what it read.
std::unexpected<Error> unreadable(const char* what) {
  if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE) throw std::bad_alloc();
  return openssl_failure(Status::kInvalidPayload, what);
}

Result<> read_time(const ASN1_TIME* time, int64_t& out) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return unreadable("a date can't be read");
  const std::chrono::year_month_day day(std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  out = ((days * 24 + parts.tm_hour) * 60 + parts.tm_min) * 60 + parts.tm_sec;
  return {};
}

struct PemBlock {
  std::string kind;
  std::vector<std::byte> data;
};

// next_block returns the next PEM block; false at the end of the text.
Result<bool> next_block(BIO* bio, PemBlock& block) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  crypto::clear_openssl_errors();
  if (PEM_read_bio(bio, &name, &header, &data, &length) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return unreadable("the PEM text is damaged");
    crypto::clear_openssl_errors();
    return false;
  }
  block.kind = name;
  const Bytes bytes = std::as_bytes(std::span(data, static_cast<size_t>(length)));
  if (block.kind == "CERTIFICATE") block.data.assign(bytes.begin(), bytes.end());
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<size_t>(length));  // it may be a private key that does not belong here
  return true;
}

}  // namespace

Result<Certificate> Certificate::wrap(const crypto::Library& library, X509* certificate) {
  if (X509_up_ref(certificate) != 1) return fail(Status::kCryptoError, "no share in a certificate");
  Certificate made;
  made.x509_ = std::shared_ptr<X509>(certificate, X509_free);
  WVDS_TRY(read_time(X509_get0_notBefore(certificate), made.not_before_));
  WVDS_TRY(read_time(X509_get0_notAfter(certificate), made.not_after_));
  WVDS_ASSIGN(digest, crypto::sha256(library, made.to_der()));
  made.fingerprint_ = digest;
  return made;
}

Result<Certificate> Certificate::from_der(const crypto::Library& library, Bytes der) {
  if (der.size() > kMaxCertificateBytes) {
    return fail(Status::kInvalidPayload, "a certificate of " + std::to_string(der.size()) + " bytes: at most " +
                                             std::to_string(kMaxCertificateBytes) + " are read");
  }
  if (der.empty()) return fail(Status::kInvalidPayload, "an empty certificate");
  crypto::clear_openssl_errors();
  X509* parsed = X509_new_ex(library.context(), nullptr);
  const unsigned char* position = octets_of(der);
  const bool read =
      parsed != nullptr && d2i_X509(&parsed, &position, static_cast<long>(der.size())) != nullptr;  // or frees it
  if (!read) return unreadable("not an X.509 certificate");
  const X509Handle owned(parsed);
  if (position != octets_of(der) + der.size()) return fail(Status::kInvalidPayload, "bytes after a certificate");
  return wrap(library, parsed);
}

Result<std::vector<Certificate>> Certificate::list_from_pem(const crypto::Library& library, std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return fail(Status::kInvalidPayload, "over 256 KB of PEM text");
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl_failure(Status::kCryptoError, "no memory for PEM text");
  std::vector<Certificate> list;
  for (;;) {
    PemBlock block;
    WVDS_ASSIGN(found, next_block(bio.get(), block));
    if (!found) break;
    if (block.kind != "CERTIFICATE")
      return fail(Status::kInvalidPayload, "the PEM text holds a " + block.kind + " where only certificates belong");
    if (list.size() == kMaxCertificates) return fail(Status::kInvalidPayload, "more than 32 certificates in PEM");
    WVDS_ASSIGN(certificate, from_der(library, block.data));
    list.push_back(std::move(certificate));
  }
  if (list.empty()) return fail(Status::kInvalidPayload, "no certificate in the PEM text");
  return list;
}

Result<Certificate> Certificate::from_pem(const crypto::Library& library, std::string_view pem) {
  WVDS_ASSIGN(list, list_from_pem(library, pem));
  if (list.size() != 1)
    return fail(Status::kInvalidPayload, std::to_string(list.size()) + " certificates where one is wanted");
  return list.front();
}

// A certificate that was read can be written: what may be missing is memory. An empty text in its place would be
// stored.
std::vector<std::byte> Certificate::to_der() const {
  std::vector<std::byte> der = encoded_by(i2d_X509, x509_.get());
  if (der.empty()) throw std::bad_alloc();
  return der;
}

std::string Certificate::to_pem() const {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), x509_.get()) != 1) throw std::bad_alloc();
  return text_of(bio.get());
}

std::string Certificate::subject() const { return name_text(X509_get_subject_name(x509_.get())); }
std::string Certificate::issuer() const { return name_text(X509_get_issuer_name(x509_.get())); }

Subject Certificate::subject_parts() const { return parts_of(X509_get_subject_name(x509_.get())); }

std::string Certificate::serial() const {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || i2a_ASN1_INTEGER(bio.get(), X509_get0_serialNumber(x509_.get())) <= 0) return "";
  return text_of(bio.get());
}

std::string Certificate::fingerprint_text() const {
  std::string text;
  for (const std::byte byte : fingerprint_) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02X", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

Names Certificate::names() const {
  const GeneralNamesHandle list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509_.get(), NID_subject_alt_name, nullptr, nullptr)));
  crypto::clear_openssl_errors();
  return names_of(list.get());
}

std::vector<std::string> Certificate::extended_key_usages() const {
  std::vector<std::string> usages;
  auto* list = static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(x509_.get(), NID_ext_key_usage, nullptr, nullptr));
  const int count = std::max(0, sk_ASN1_OBJECT_num(list));  // -1 where there is no list
  usages.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) usages.push_back(oid_text(sk_ASN1_OBJECT_value(list, i)));
  EXTENDED_KEY_USAGE_free(list);
  crypto::clear_openssl_errors();
  return usages;
}

bool Certificate::allows_key_usage(uint32_t key_usage) const {
  return (X509_get_key_usage(x509_.get()) & key_usage) == key_usage;
}

bool Certificate::extensions_readable() const {
  const bool readable = (X509_get_extension_flags(x509_.get()) & EXFLAG_INVALID) == 0;
  crypto::clear_openssl_errors();
  return readable;
}

bool Certificate::is_ca() const {
  return extensions_readable() && (X509_get_extension_flags(x509_.get()) & EXFLAG_CA) != 0 &&
         allows_key_usage(KU_KEY_CERT_SIGN);
}

bool Certificate::is_self_issued() const {
  return X509_NAME_cmp(X509_get_subject_name(x509_.get()), X509_get_issuer_name(x509_.get())) == 0;
}

bool Certificate::is_self_signed() const {
  EVP_PKEY* key = X509_get0_pubkey(x509_.get());
  const bool right = is_self_issued() && key != nullptr && X509_verify(x509_.get(), key) == 1;
  crypto::clear_openssl_errors();
  return right;
}

std::string Certificate::key_type() const { return crypto::key_type_name(public_key()); }

const EVP_PKEY* Certificate::public_key() const {
  const EVP_PKEY* key = X509_get0_pubkey(x509_.get());
  crypto::clear_openssl_errors();
  return key;
}

std::vector<std::byte> Certificate::spki() const {
  return encoded_by(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(x509_.get()));
}

bool Certificate::has_key(const EVP_PKEY* key) const { return crypto::same_public_key(public_key(), key); }
bool Certificate::has_spki(Bytes expected) const { return std::ranges::equal(spki(), expected); }

bool Certificate::same_subject_and_key(const Certificate& other) const {
  return X509_NAME_cmp(X509_get_subject_name(get()), X509_get_subject_name(other.get())) == 0 &&
         has_key(other.public_key());
}

Result<Fingerprint> fingerprint_from_text(std::string_view text) {
  Fingerprint out{};
  std::string digits(text);
  std::erase(digits, ':');
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  if (digits.size() != 2 * out.size()) return fail(Status::kInvalidPayload, "a SHA-256 fingerprint has 64 digits");
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t at = kDigits.find(digits[i]);
    if (at == std::string_view::npos) return fail(Status::kInvalidPayload, "not a hexadecimal fingerprint");
    out[i / 2] = out[i / 2] << 4 | static_cast<std::byte>(at < 16 ? at : at - 6);
  }
  return out;
}

std::string time_text(int64_t seconds) {
  constexpr int64_t kYear10000 = 253402300800;
  if (seconds >= kYear10000) return "never";
  if (seconds < 0) return "before 1970";
  const int64_t days = seconds / 86400;
  const int64_t rest = seconds % 86400;
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(days))};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()), static_cast<int>(rest / 3600),
                static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return text;
}

}  // namespace wvds::est
