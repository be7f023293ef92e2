#include "ca/messages.h"

#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace wvds::est_ca {
namespace {

constexpr int kThousand = 1000;

Bytes to_der(const PKCS7* message) { return encoded(message, i2d_PKCS7); }

Pkcs7 new_message(int kind) {
  Pkcs7 message(ensure(PKCS7_new(), "PKCS#7"));
  ensure(PKCS7_set_type(message.get(), kind) == 1, "PKCS#7");
  return message;
}

Pkcs7 new_certs_only(const std::vector<Certificate>& certificates) {
  Pkcs7 message = new_message(NID_pkcs7_signed);
  ensure(PKCS7_content_new(message.get(), NID_pkcs7_data) == 1, "PKCS#7");
  PKCS7_set_detached(message.get(), 1);
  for (const Certificate& certificate : certificates) {
    ensure(PKCS7_add_certificate(message.get(), certificate.get()) == 1, "PKCS#7");
  }
  return message;
}

Bytes with_key(const std::vector<Certificate>& certificates) {
  const Pkcs7 message = new_certs_only(certificates);
  PKCS7_set_detached(message.get(), 0);
  ensure(PKCS7_content_new(message.get(), NID_pkcs7_data) == 1, "PKCS#7");
  const Bytes key = private_key_der(make_key("P-256").get());
  ASN1_OCTET_STRING* content = message->d.sign->contents->d.data;
  ensure(ASN1_OCTET_STRING_set(content, key.data(), static_cast<int>(key.size())) == 1, "PKCS#7");
  return to_der(message.get());
}

// OpenSSL's PKCS#7 signs with a digest, so the signer is an ECDSA one.
Bytes signed_content(const std::vector<Certificate>& certificates) {
  Issuer signer{nullptr, make_key("P-256")};
  const Name name = make_name("Signer");
  const std::int64_t now = std::time(nullptr);
  signer.certificate = make_ca_certificate(name.get(), signer.key.get(), signer, now - 60, now + 3600);
  const Owned<BIO, BIO_free_all> content(ensure(BIO_new_mem_buf("content", 7), "memory"));
  const Pkcs7 message(
      ensure(PKCS7_sign(signer.certificate.get(), signer.key.get(), nullptr, content.get(), PKCS7_BINARY), "PKCS#7"));
  for (const Certificate& certificate : certificates) PKCS7_add_certificate(message.get(), certificate.get());
  return to_der(message.get());
}

std::vector<Certificate> thousand(std::vector<Certificate> certificates) {
  Issuer self{nullptr, make_key("P-256")};
  const std::int64_t now = std::time(nullptr);
  for (int i = 0; i < kThousand; ++i) {
    const Name name = make_name("Certificate " + std::to_string(i));
    certificates.push_back(make_ca_certificate(name.get(), self.key.get(), self, now - 60, now + 3600));
  }
  return certificates;
}

std::vector<Certificate> twice(std::vector<Certificate> certificates) {
  const std::vector<Certificate> once = certificates;
  certificates.insert(certificates.end(), once.begin(), once.end());
  return certificates;
}

std::vector<Certificate> backwards(std::vector<Certificate> certificates) {
  std::ranges::reverse(certificates);
  return certificates;
}

Bytes plain_data() {
  const Pkcs7 message = new_message(NID_pkcs7_data);
  ensure(ASN1_OCTET_STRING_set(message->d.data, reinterpret_cast<const unsigned char*>("data"), 4) == 1, "PKCS#7");
  return to_der(message.get());
}

Bytes with_crl(const std::vector<Certificate>& certificates, const Issuer& issuer) {
  const Owned<X509_CRL, X509_CRL_free> crl(ensure(X509_CRL_new(), "CRL"));
  const Owned<ASN1_TIME, ASN1_TIME_free> now(ensure(ASN1_TIME_adj(nullptr, std::time(nullptr), 0, 0), "time"));
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
  X509_CRL_set1_lastUpdate(crl.get(), now.get());
  ensure(X509_CRL_sign(crl.get(), issuer.key.get(), digest_for(issuer.key.get())) > 0, "CRL");
  const Pkcs7 message = new_certs_only(certificates);
  ensure(PKCS7_add_crl(message.get(), crl.get()) == 1, "CRL");
  return to_der(message.get());
}

std::string in_lines(const std::string& text, std::size_t width, const std::string& end) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += width) out += text.substr(at, width) + end;
  return out;
}

}  // namespace

Bytes certs_only(const std::vector<Certificate>& certificates) { return to_der(new_certs_only(certificates).get()); }

Bytes faulty_certs_only(const std::string& kind, const std::vector<Certificate>& right, const Issuer& issuer) {
  if (kind.empty()) return certs_only(right);
  if (kind == "with-key") return with_key(right);
  if (kind == "signed-content") return signed_content(right);
  if (kind == "thousand") return certs_only(thousand(right));
  if (kind == "empty") return certs_only({});
  if (kind == "twice") return certs_only(twice(right));
  if (kind == "backwards") return certs_only(backwards(right));
  if (kind == "data") return plain_data();
  if (kind == "with-crl") return with_crl(right, issuer);
  if (kind == "not-der") return random_bytes(300);
  Bytes der = certs_only(right);
  if (kind == "truncated") {
    der.resize(der.size() / 2);
  } else if (kind == "trailing") {
    der.insert(der.end(), 16, 0);
  } else {
    throw std::runtime_error("no PKCS#7 called " + kind);
  }
  return der;
}

std::string transfer_encoded(const Bytes& der, const std::string& style) {
  if (style == "none") return {der.begin(), der.end()};
  const std::string text = to_base64(der);
  if (style == "lines") return in_lines(text, 64, "\n");
  if (style == "crlf") return in_lines(text, 76, "\r\n");
  if (style == "single") return text;
  if (style == "padding") return text + "====";
  if (style != "bad") throw std::runtime_error("no base64 called " + style);
  std::string bad = text;
  bad[bad.size() / 2] = '*';
  return bad;
}

Multipart key_and_certificate(const Bytes& private_key, const Bytes& certificates, const std::string& style,
                              bool encoding_header) {
  const std::string boundary = "estpart-" + to_hex(random_bytes(8));
  const auto part = [&](const std::string& type, const Bytes& der) {
    return "--" + boundary + "\r\nContent-Type: " + type + "\r\n" +
           (encoding_header ? "Content-Transfer-Encoding: base64\r\n" : "") + "\r\n" + transfer_encoded(der, style) +
           "\r\n";
  };
  return {"multipart/mixed; boundary=" + boundary,
          part("application/pkcs8", private_key) + part("application/pkcs7-mime; smime-type=certs-only", certificates) +
              "--" + boundary + "--\r\n"};
}

}  // namespace wvds::est_ca
