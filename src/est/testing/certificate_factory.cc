#include "est/testing/certificate_factory.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "est/csr.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

namespace wvds::est::factory {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "certificate factory: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

EVP_PKEY* mutable_key(const EVP_PKEY* key) { return const_cast<EVP_PKEY*>(key); }  // OpenSSL's setters take no const

void add_extension(X509* certificate, X509* issuer, const ExtensionText& extension) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const X509ExtensionHandle made(X509V3_EXT_nconf(nullptr, &context, extension.name.c_str(), extension.value.c_str()));
  require(made && X509_add_ext(certificate, made.get(), -1) == 1, extension.name.c_str());
}

void set_serial(const crypto::Library& library, X509* certificate) {
  std::array<std::byte, 12> random{};
  require(library.random(random).has_value(), "no random serial number");
  uint64_t value = 0;
  for (size_t i = 0; i < 7; ++i) value = value << 8 | std::to_integer<uint64_t>(random[i]);
  require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), value | 1) == 1, "no serial number");
}

void set_time(ASN1_TIME* target, int64_t seconds) {
  require(ASN1_TIME_set(target, static_cast<time_t>(seconds)) != nullptr, "a date that can't be written");
}

X509NameHandle name_of(std::string_view text) {
  const auto subject = parse_subject(text);
  require(subject.has_value(), "a subject that can't be read");
  auto name = make_name(*subject);
  require(name.has_value(), "a subject that can't be written");
  return std::move(*name);
}

// begin makes a certificate with everything but extensions and signature.
X509Handle begin(const crypto::Library& library, const X509_NAME* subject, const X509_NAME* issuer, const EVP_PKEY* key,
                 Validity validity) {
  X509Handle made(X509_new_ex(library.context(), nullptr));
  require(made && X509_set_version(made.get(), X509_VERSION_3) == 1, "no certificate");
  set_serial(library, made.get());
  require(X509_set_subject_name(made.get(), subject) == 1 && X509_set_issuer_name(made.get(), issuer) == 1, "names");
  set_time(X509_getm_notBefore(made.get()), validity.not_before);
  set_time(X509_getm_notAfter(made.get()), validity.not_after);
  require(X509_set_pubkey(made.get(), mutable_key(key)) == 1, "no public key");
  return made;
}

Certificate finish(const crypto::Library& library, X509* made, const EVP_PKEY* key) {
  require(X509_sign(made, mutable_key(key), crypto::signing_digest(library, key)) > 0, "no signature");
  auto certificate = Certificate::from_der(library, encoded_by(i2d_X509, made));
  require(certificate.has_value(), "a certificate that can't be read");
  return std::move(*certificate);
}

std::vector<ExtensionText> ca_extensions(const CaOptions& options) {
  std::vector<ExtensionText> list;
  list.push_back({"basicConstraints", options.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE"});
  list.push_back({"keyUsage", options.is_ca ? "critical,keyCertSign,cRLSign,digitalSignature" : "digitalSignature"});
  if (options.key_identifiers) list.push_back({"subjectKeyIdentifier", "hash"});
  if (options.key_identifiers) list.push_back({"authorityKeyIdentifier", "keyid"});
  list.insert(list.end(), options.more.begin(), options.more.end());
  return list;
}

std::vector<ExtensionText> leaf_extensions(const LeafOptions& options) {
  std::vector<ExtensionText> list{{"basicConstraints", "critical,CA:FALSE"}};
  if (!options.key_usage.empty()) list.push_back({"keyUsage", options.key_usage});
  if (!options.extended_key_usage.empty()) list.push_back({"extendedKeyUsage", options.extended_key_usage});
  if (!options.alternative_names.empty()) list.push_back({"subjectAltName", options.alternative_names});
  list.push_back({"authorityKeyIdentifier", "keyid"});
  list.insert(list.end(), options.more.begin(), options.more.end());
  return list;
}

Certificate certify(const crypto::Library& library, const X509_NAME* subject, const EVP_PKEY* key, const Ca* ca,
                    const EVP_PKEY* own_key, Validity validity, const std::vector<ExtensionText>& extensions) {
  const X509_NAME* issuer = ca != nullptr ? X509_get_subject_name(ca->certificate.get()) : subject;
  const X509Handle made = begin(library, subject, issuer, key, validity);
  for (const ExtensionText& extension : extensions) {
    add_extension(made.get(), ca != nullptr ? ca->certificate.get() : made.get(), extension);
  }
  return finish(library, made.get(), ca != nullptr ? ca->key.get() : own_key);
}

const char* openssl_curve(std::string_view algorithm) {
  if (algorithm == "P-256") return "P-256";
  return algorithm == "P-384" ? "P-384" : nullptr;
}

}  // namespace

KeyHandle make_key(const crypto::Library& library, std::string_view algorithm) {
  OSSL_LIB_CTX* context = library.context();
  EVP_PKEY* key = nullptr;
  if (const char* curve = openssl_curve(algorithm); curve != nullptr) {
    key = EVP_PKEY_Q_keygen(context, nullptr, "EC", curve);
  } else if (algorithm.starts_with("RSA-")) {
    key = EVP_PKEY_Q_keygen(context, nullptr, "RSA", static_cast<size_t>(std::stoul(std::string(algorithm.substr(4)))));
  } else {
    key = EVP_PKEY_Q_keygen(context, nullptr, std::string(algorithm).c_str());
  }
  require(key != nullptr, "no key");
  return KeyHandle(key);
}

std::vector<std::byte> pkcs8_of(const EVP_PKEY* key) {
  const Pkcs8Handle info(EVP_PKEY2PKCS8(key));
  require(info != nullptr, "no PKCS#8");
  return encoded_by(i2d_PKCS8_PRIV_KEY_INFO, info.get());
}

std::string key_pem(const EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  require(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "no PEM");
  return text_of(bio.get());
}

Ca make_ca(const crypto::Library& library, std::string_view algorithm, std::string_view subject, Validity validity,
           const Ca* signed_by, const CaOptions& options) {
  std::shared_ptr<EVP_PKEY> key(make_key(library, algorithm).release(), EVP_PKEY_free);
  const X509NameHandle name = name_of(subject);
  Certificate certificate =
      certify(library, name.get(), key.get(), signed_by, key.get(), validity, ca_extensions(options));
  return {std::move(certificate), std::move(key)};
}

Certificate make_link(const crypto::Library& library, const Ca& target, const Ca& signer, Validity validity,
                      const CaOptions& options) {
  return certify(library, X509_get_subject_name(target.certificate.get()), target.key.get(), &signer, nullptr, validity,
                 ca_extensions(options));
}

Certificate issue(const crypto::Library& library, const Ca& ca, const EVP_PKEY* key, Validity validity,
                  const LeafOptions& options) {
  const X509NameHandle name = name_of(options.subject);
  return certify(library, name.get(), key, &ca, nullptr, validity, leaf_extensions(options));
}

Outcome<Certificate> issue_for_request(const crypto::Library& library, const Ca& ca, Bytes request, Validity validity,
                                       const EVP_PKEY* statement_key) {
  X509_REQ* parsed = X509_REQ_new_ex(library.context(), nullptr);
  const unsigned char* position = octets_of(request);
  if (d2i_X509_REQ(&parsed, &position, static_cast<long>(request.size())) == nullptr)
    return failed(FailureKind::kRequestRefused, "not a PKCS#10 request");
  const X509ReqHandle owned(parsed);
  EVP_PKEY* key = X509_REQ_get0_pubkey(parsed);
  const EVP_PKEY* verifier = statement_key != nullptr ? statement_key : key;
  if (key == nullptr || X509_REQ_verify_ex(parsed, mutable_key(verifier), library.context(), nullptr) != 1)
    return failed(FailureKind::kRequestRefused, "the request's signature is not its key's");

  const X509Handle made =
      begin(library, X509_REQ_get_subject_name(parsed), X509_get_subject_name(ca.certificate.get()), key, validity);
  add_extension(made.get(), ca.certificate.get(), {"basicConstraints", "critical,CA:FALSE"});
  add_extension(made.get(), ca.certificate.get(), {"authorityKeyIdentifier", "keyid"});
  const ExtensionsHandle asked(X509_REQ_get_extensions(parsed));
  for (int i = 0; i < sk_X509_EXTENSION_num(asked.get()); ++i) {
    require(X509_add_ext(made.get(), sk_X509_EXTENSION_value(asked.get(), i), -1) == 1, "no extension");
  }
  return finish(library, made.get(), ca.key.get());
}

std::vector<std::byte> certs_only(const std::vector<Certificate>& certificates) {
  const Pkcs7Handle message(PKCS7_new());
  require(message && PKCS7_set_type(message.get(), NID_pkcs7_signed) == 1, "no PKCS#7");
  require(PKCS7_content_new(message.get(), NID_pkcs7_data) == 1, "no PKCS#7 content");
  require(PKCS7_set_detached(message.get(), 1) == 1, "no PKCS#7 without content");
  for (const Certificate& certificate : certificates) {
    require(PKCS7_add_certificate(message.get(), certificate.get()) == 1, "no certificate in PKCS#7");
  }
  return encoded_by(i2d_PKCS7, message.get());
}

std::vector<std::byte> signed_content(const Ca& signer, Bytes content) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!content.empty()) BIO_write(bio.get(), content.data(), static_cast<int>(content.size()));
  const int flags = PKCS7_BINARY | (content.empty() ? PKCS7_DETACHED : 0);
  const Pkcs7Handle message(
      PKCS7_sign(signer.certificate.get(), signer.key.get(), nullptr, bio.get(), flags | PKCS7_NOSMIMECAP));
  require(message != nullptr, "no signed PKCS#7");
  return encoded_by(i2d_PKCS7, message.get());
}

}  // namespace wvds::est::factory
