#include "est/certs_only.h"

#include <openssl/asn1t.h>

#include <string>
#include <utility>

#include "est/x509_handles.h"
#include "est/x509_text.h"

// The message is read in two steps: its frame, in which each certificate is only a run of bytes, and then, after their
// number is known to be small, the certificates themselves. What a hostile server can make this allocate is a small
// multiple of the size limit.
namespace wvds::est {

// RFC 5652, section 3: ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT ANY }
struct PkcsContent {
  ASN1_OBJECT* type;
  ASN1_TYPE* content;
};

// RFC 5652, section 5.1. The optional content is only looked at to find that there is none.
struct PkcsSigned {
  ASN1_INTEGER* version;
  STACK_OF(ASN1_TYPE) * digests;
  PkcsContent* content;
  STACK_OF(ASN1_TYPE) * certificates;
  STACK_OF(ASN1_TYPE) * revocation_lists;
  STACK_OF(ASN1_TYPE) * signers;
};

// clang-format off
ASN1_SEQUENCE(PkcsContent) = {
  ASN1_SIMPLE(PkcsContent, type, ASN1_OBJECT),
  ASN1_EXP_OPT(PkcsContent, content, ASN1_ANY, 0),
} static_ASN1_SEQUENCE_END(PkcsContent)

ASN1_SEQUENCE(PkcsSigned) = {
  ASN1_SIMPLE(PkcsSigned, version, ASN1_INTEGER),
  ASN1_SET_OF(PkcsSigned, digests, ASN1_ANY),
  ASN1_SIMPLE(PkcsSigned, content, PkcsContent),
  ASN1_IMP_SET_OF_OPT(PkcsSigned, certificates, ASN1_ANY, 0),
  ASN1_IMP_SET_OF_OPT(PkcsSigned, revocation_lists, ASN1_ANY, 1),
  ASN1_SET_OF(PkcsSigned, signers, ASN1_ANY),
} static_ASN1_SEQUENCE_END(PkcsSigned)
    // clang-format on

    namespace {
  std::unexpected<Failure> bad_message(std::string what) {
    return openssl_failed(FailureKind::kBadPkcs7, std::move(what));
  }

  void free_content(PkcsContent * content) {
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(content), ASN1_ITEM_rptr(PkcsContent));
  }
  void free_signed(PkcsSigned * data) {
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(data), ASN1_ITEM_rptr(PkcsSigned));
  }
  using ContentHandle = Handle<PkcsContent, free_content>;
  using SignedHandle = Handle<PkcsSigned, free_signed>;

  // decoded reads one object that fills `der`; null otherwise.
  template <class T>
  T* decoded(Bytes der, const ASN1_ITEM* item) {
    const unsigned char* position = octets_of(der);
    ASN1_VALUE* value = ASN1_item_d2i(nullptr, &position, static_cast<long>(der.size()), item);
    if (value != nullptr && position == octets_of(der) + der.size()) return reinterpret_cast<T*>(value);
    ASN1_item_free(value, item);
    return nullptr;
  }

  Outcome<SignedHandle> signed_data(Bytes der) {
    const ContentHandle outer(decoded<PkcsContent>(der, ASN1_ITEM_rptr(PkcsContent)));
    if (!outer) return bad_message("the body is not one PKCS#7 message");
    if (OBJ_obj2nid(outer->type) != NID_pkcs7_signed)
      return bad_message("the message holds " + object_text(outer->type) + " in place of certificates");
    if (outer->content == nullptr || outer->content->type != V_ASN1_SEQUENCE)
      return bad_message("the message is empty");
    SignedHandle data(decoded<PkcsSigned>(bytes_of(outer->content->value.sequence), ASN1_ITEM_rptr(PkcsSigned)));
    if (!data) return bad_message("the message is not a PKCS#7 SignedData");
    return data;
  }

  // RFC 5272, section 4.1: neither signers nor content.
  Outcome<> check_certs_only(const PkcsSigned& data) {
    if (sk_ASN1_TYPE_num(data.signers) != 0) return bad_message("the message is signed: certs-only messages are not");
    if (data.content->content != nullptr)
      return bad_message("the message holds content beside certificates, which does not belong there");
    const int count = sk_ASN1_TYPE_num(data.certificates);
    if (count <= 0) return bad_message("the message holds no certificate");
    if (static_cast<size_t>(count) > kMaxCertificates)
      return failed(FailureKind::kTooLarge, "the message holds " + std::to_string(count) + " certificates: at most " +
                                                std::to_string(kMaxCertificates) + " are read");
    return {};
  }

}  // namespace

Outcome<std::vector<Certificate>> parse_certs_only(const crypto::Library& library, Bytes der) {
  if (der.size() > kMaxCertsOnlyBytes)
    return failed(FailureKind::kTooLarge, "a PKCS#7 message of " + std::to_string(der.size()) + " bytes: at most " +
                                              std::to_string(kMaxCertsOnlyBytes) + " are read");
  auto data = signed_data(der);
  if (!data) return std::unexpected(std::move(data.error()));
  if (auto right = check_certs_only(**data); !right) return std::unexpected(std::move(right.error()));

  std::vector<Certificate> list;
  const auto* held = (*data)->certificates;
  for (int i = 0; i < sk_ASN1_TYPE_num(held); ++i) {
    const ASN1_TYPE* one = sk_ASN1_TYPE_value(held, i);
    if (one->type != V_ASN1_SEQUENCE) return bad_message("the message holds something else than X.509 certificates");
    auto certificate = Certificate::from_der(library, bytes_of(one->value.sequence));
    if (!certificate) return failed(FailureKind::kBadPkcs7, std::move(certificate.error().detail));
    list.push_back(std::move(*certificate));
  }
  return list;
}

}  // namespace wvds::est
