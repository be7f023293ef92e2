#include "est/csr.h"

#include <openssl/asn1t.h>

#include <algorithm>
#include <utility>

#include "crypto/certificate_key.h"
#include "est/csr_extensions.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

namespace wvds::est {
namespace {

using Der = std::vector<std::byte>;

// RFC 2985, section 5.4.1: challengePassword is a DirectoryString of at most 255 characters.
constexpr size_t kMaxChallengePassword = 255;
constexpr const char* kOidStatementOfPossession = "1.3.6.1.4.1.22112.2.1";

// RFC 9883:
//   PrivateKeyPossessionStatement ::= SEQUENCE { signer IssuerAndSerialNumber, cert Certificate OPTIONAL }
struct PossessionStatement {
  PKCS7_ISSUER_AND_SERIAL* signer;
  X509* certificate;
};

// clang-format off
ASN1_SEQUENCE(PossessionStatement) = {
  ASN1_SIMPLE(PossessionStatement, signer, PKCS7_ISSUER_AND_SERIAL),
  ASN1_OPT(PossessionStatement, certificate, X509),
} static_ASN1_SEQUENCE_END(PossessionStatement)
    // clang-format on

    Outcome<> set_subject(X509_REQ * request, const CsrSpec& spec) {
  if (spec.renews) {
    if (X509_REQ_set_subject_name(request, X509_get_subject_name(spec.renews->get())) == 1) return {};
    return openssl_failed(FailureKind::kConfiguration, "the certificate's subject can't be copied");
  }
  auto name = make_name(spec.subject);
  if (!name) return std::unexpected(std::move(name.error()));
  if (X509_REQ_set_subject_name(request, name->get()) == 1) return {};
  return openssl_failed(FailureKind::kConfiguration, "the subject can't be set");
}

Outcome<> add_extensions(X509_REQ* request, const CsrSpec& spec) {
  auto extensions = make_extensions(spec);
  if (!extensions) return std::unexpected(std::move(extensions.error()));
  if (!*extensions || X509_REQ_add_extensions(request, extensions->get()) == 1) return {};
  return openssl_failed(FailureKind::kConfiguration, "the extensions can't be added");
}

// RFC 7030, section 3.5: the channel binding travels as the challenge password.
Outcome<> add_challenge_password(X509_REQ* request, const CsrSpec& spec) {
  const std::string& value = spec.challenge_password;
  if (value.empty() && spec.wants_binding)
    return failed(FailureKind::kConfiguration,
                  "the server wants the request linked to the TLS session, and there is no value to link it by");
  if (value.empty()) return {};
  const auto* text = reinterpret_cast<const unsigned char*>(value.data());
  if (value.size() <= kMaxChallengePassword &&
      X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, MBSTRING_ASC, text,
                                static_cast<int>(value.size())) == 1) {
    return {};
  }
  return openssl_failed(FailureKind::kConfiguration, "the challenge password can't be added");
}

Outcome<Der> encoded_statement(const Certificate& certificate) {
  const Handle<PKCS7_ISSUER_AND_SERIAL, PKCS7_ISSUER_AND_SERIAL_free> signer(PKCS7_ISSUER_AND_SERIAL_new());
  X509* held = certificate.get();
  if (!signer || X509_NAME_set(&signer->issuer, X509_get_issuer_name(held)) != 1 ||
      ASN1_STRING_copy(signer->serial, X509_get0_serialNumber(held)) != 1) {
    return openssl_failed(FailureKind::kConfiguration, "the statement of possession can't be made");
  }
  PossessionStatement statement{signer.get(), held};
  Der der = encoded_by(
      [](PossessionStatement* object, unsigned char** out) {
        return ASN1_item_i2d(reinterpret_cast<ASN1_VALUE*>(object), out, ASN1_ITEM_rptr(PossessionStatement));
      },
      &statement);
  if (der.empty()) return openssl_failed(FailureKind::kConfiguration, "the statement of possession can't be encoded");
  return der;
}

// RFC 9883: cert must be there when the new certificate will have another issuer. The CA alone knows that,
// so it always is.
Outcome<> add_statement(X509_REQ* request, const Certificate& certificate) {
  auto der = encoded_statement(certificate);
  if (!der) return std::unexpected(std::move(der.error()));
  const ObjectHandle type(OBJ_txt2obj(kOidStatementOfPossession, 1));
  if (type && X509_REQ_add1_attr_by_OBJ(request, type.get(), V_ASN1_SEQUENCE,
                                        reinterpret_cast<const unsigned char*>(der->data()),
                                        static_cast<int>(der->size())) == 1) {
    return {};
  }
  return openssl_failed(FailureKind::kConfiguration, "the statement of possession can't be added");
}

// unsigned_request builds everything but the signature. `certificate` is the statement's, or null.
Outcome<X509ReqHandle> unsigned_request(const crypto::Library& library, const CsrSpec& spec, EVP_PKEY* key,
                                        const Certificate* certificate) {
  X509ReqHandle request(X509_REQ_new_ex(library.context(), nullptr));
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1)
    return openssl_failed(FailureKind::kConfiguration, "no request could be made");
  if (X509_REQ_set_pubkey(request.get(), key) != 1)
    return openssl_failed(FailureKind::kKeyService, "the key does not hand out its public half");
  Outcome<> done = set_subject(request.get(), spec);
  if (done) done = add_extensions(request.get(), spec);
  if (done) done = add_challenge_password(request.get(), spec);
  if (done && certificate != nullptr) done = add_statement(request.get(), *certificate);
  if (!done) return std::unexpected(std::move(done.error()));
  return request;
}

// verified reads the request back as the server will, and verifies it by OpenSSL's own implementation: with the key
// that it holds, or with the statement's.
Outcome<Der> verified(const crypto::Library& library, Der der, const Certificate* certificate) {
  X509_REQ* parsed = X509_REQ_new_ex(library.context(), nullptr);
  const unsigned char* position = octets_of(der);
  if (d2i_X509_REQ(&parsed, &position, static_cast<long>(der.size())) == nullptr)
    return openssl_failed(FailureKind::kConfiguration, "the request can't be read back");
  const X509ReqHandle owned(parsed);
  EVP_PKEY* key = certificate != nullptr ? X509_get0_pubkey(certificate->get()) : X509_REQ_get0_pubkey(parsed);
  if (key != nullptr && X509_REQ_verify_ex(parsed, key, library.context(), nullptr) == 1) return der;
  return openssl_failed(FailureKind::kKeyService, "the key's signature over the request is not valid");
}

Outcome<Der> signed_request(const crypto::Library& library, X509_REQ* request, EVP_PKEY* key,
                            const Certificate* certificate) {
  if (X509_REQ_sign(request, key, crypto::signing_digest(library, key)) <= 0)
    return openssl_failed(FailureKind::kKeyService, "the request could not be signed");
  Der der = encoded_by(i2d_X509_REQ, request);
  if (der.empty()) return openssl_failed(FailureKind::kConfiguration, "the request can't be encoded");
  return verified(library, std::move(der), certificate);
}

Outcome<> check_spec(const CsrSpec& spec, const std::string& key_type) {
  if (!spec.key_type.empty() && spec.key_type != key_type)
    return failed(FailureKind::kConfiguration,
                  "the key is " + key_type + ", and the request is to be for " + spec.key_type);
  const bool named =
      std::ranges::any_of(spec.extensions, [](const ExtensionValue& one) { return one.oid == kOidAlternativeNames; });
  if (!spec.renews && spec.subject.empty() && spec.names.empty() && !named)
    return failed(FailureKind::kConfiguration, "the request has neither a subject nor an alternative name");
  return {};
}

}  // namespace

Outcome<Der> make_csr(const crypto::Library& library, const CsrSpec& spec, EVP_PKEY* key) {
  const std::string type = crypto::key_type_name(key);
  if (!crypto::can_sign(key))
    return failed(FailureKind::kConfiguration,
                  "a key of type " + type + " can't sign its own request: it needs the device's key for signatures");
  if (auto fits = check_spec(spec, type); !fits) return std::unexpected(std::move(fits.error()));
  auto request = unsigned_request(library, spec, key, nullptr);
  if (!request) return std::unexpected(std::move(request.error()));
  return signed_request(library, request->get(), key, nullptr);
}

Outcome<Der> make_kem_csr(const crypto::Library& library, const CsrSpec& spec, Bytes spki, const Statement& statement) {
  auto key = crypto::key_from_spki(library, spki);
  if (!key) return failed(FailureKind::kConfiguration, key.error().detail);
  const std::string type = crypto::key_type_name(key->get());
  if (crypto::can_sign(key->get()))
    return failed(FailureKind::kConfiguration, "a key of type " + type + " signs its own request");
  if (!statement.certificate.has_key(statement.key) || !statement.certificate.allows_key_usage(KU_DIGITAL_SIGNATURE))
    return failed(FailureKind::kConfiguration,
                  "the statement of possession needs the device's certificate for signatures, with its own key");

  CsrSpec kem = spec;
  kem.key_usages = {"keyEncipherment"};
  kem.extended_key_usages.clear();
  if (!kem.renews && kem.subject.empty() && kem.names.empty()) kem.renews = statement.certificate;
  if (auto fits = check_spec(kem, type); !fits) return std::unexpected(std::move(fits.error()));
  auto request = unsigned_request(library, kem, key->get(), &statement.certificate);
  if (!request) return std::unexpected(std::move(request.error()));
  return signed_request(library, request->get(), statement.key, &statement.certificate);
}

}  // namespace wvds::est
