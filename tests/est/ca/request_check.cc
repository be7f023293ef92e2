#include "ca/request_check.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <string_view>

namespace wvds::est_ca {
namespace {

// RFC 9883 section 3
struct PossessionStatement {
  PKCS7_ISSUER_AND_SERIAL* signer;
  X509* certificate;
};

ASN1_SEQUENCE(PossessionStatement) = {ASN1_SIMPLE(PossessionStatement, signer, PKCS7_ISSUER_AND_SERIAL),
                                      ASN1_OPT(PossessionStatement, certificate, X509)};
static_ASN1_SEQUENCE_END(PossessionStatement)

    void free_statement(PossessionStatement* statement) {
  ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(statement), ASN1_ITEM_rptr(PossessionStatement));
}
using Statement = Owned<PossessionStatement, free_statement>;

// The stack only: the certificates belong to somebody else.
void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

constexpr const char* kStatementOid = "1.3.6.1.4.1.22112.2.1";

const ASN1_TYPE* attribute_value(X509_REQ* request, const ASN1_OBJECT* type) {
  const int at = X509_REQ_get_attr_by_OBJ(request, type, -1);
  X509_ATTRIBUTE* attribute = at < 0 ? nullptr : X509_REQ_get_attr(request, at);
  return attribute && X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(attribute, 0) : nullptr;
}

Statement statement_in(X509_REQ* request) {
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> type(OBJ_txt2obj(kStatementOid, 1));
  const ASN1_TYPE* value = attribute_value(request, type.get());
  if (!value || value->type != V_ASN1_SEQUENCE) return nullptr;
  const unsigned char* data = ASN1_STRING_get0_data(value->value.sequence);
  return Statement(reinterpret_cast<PossessionStatement*>(
      ASN1_item_d2i(nullptr, &data, ASN1_STRING_length(value->value.sequence), ASN1_ITEM_rptr(PossessionStatement))));
}

bool names(const PKCS7_ISSUER_AND_SERIAL* signer, const X509* certificate) {
  return X509_NAME_cmp(signer->issuer, X509_get_issuer_name(certificate)) == 0 &&
         ASN1_INTEGER_cmp(signer->serial, X509_get0_serialNumber(certificate)) == 0;
}

// RFC 9883 section 4: the path of the signature certificate and the request's signature must be valid, and this CA
// wants the same subject and alternative names.
std::string check_statement(RequestCheck& check, const Authority& authority, std::int64_t now) {
  const Statement statement = statement_in(check.request.get());
  if (!statement) return "a key that can't sign needs a statement of possession";
  check.possession = "statement";
  Certificate certificate;
  if (statement->certificate) {
    X509_up_ref(statement->certificate);
    certificate = own(statement->certificate);
  } else {
    certificate = authority.find(to_text(statement->signer->serial));
  }
  if (!certificate || !names(statement->signer, certificate.get())) return "the statement names an unknown certificate";
  if (!was_issued(authority, certificate.get(), now)) return "the statement's certificate is not valid";
  if (X509_REQ_verify(check.request.get(), X509_get0_pubkey(certificate.get())) != 1) {
    return "the statement's signature is wrong";
  }
  return difference_from(certificate.get(), check);
}

std::string check_signature(RequestCheck& check, const Authority& authority, std::int64_t now) {
  EVP_PKEY* key = X509_REQ_get0_pubkey(check.request.get());
  if (!key) return "the public key is of no known kind";
  check.algorithm = algorithm_of(key);
  if (is_kem(key)) return check_statement(check, authority, now);
  // RFC 9883 section 4: not for signature certificates
  if (statement_in(check.request.get())) return "a key that signs needs no statement of possession";
  return X509_REQ_verify(check.request.get(), key) == 1 ? "" : "the request's signature is wrong";
}

std::string challenge_password(X509_REQ* request) {
  const ASN1_TYPE* value = attribute_value(request, OBJ_nid2obj(NID_pkcs9_challengePassword));
  if (!value || (value->type != V_ASN1_UTF8STRING && value->type != V_ASN1_PRINTABLESTRING)) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value->value.asn1_string)),
          static_cast<std::size_t>(ASN1_STRING_length(value->value.asn1_string))};
}

}  // namespace

bool was_issued(const Authority& authority, X509* certificate, std::int64_t now) {
  const Owned<X509_STORE, X509_STORE_free> store(ensure(X509_STORE_new(), "store"));
  for (const Certificate& root : authority.trusted()) X509_STORE_add_cert(store.get(), root.get());
  const auto issuing = authority.untrusted();
  const Owned<STACK_OF(X509), free_stack> chain(sk_X509_new_null());
  for (const Certificate& ca : issuing) sk_X509_push(chain.get(), ca.get());
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(ensure(X509_STORE_CTX_new(), "context"));
  ensure(X509_STORE_CTX_init(context.get(), store.get(), certificate, chain.get()) == 1, "context");
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), now);
  const bool valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return valid;
}

RequestCheck check_request(const Bytes& der, const Bytes& channel_binding, const Authority& authority,
                           std::int64_t now) {
  RequestCheck check;
  const unsigned char* at = der.data();
  check.request.reset(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!check.request || at != der.data() + der.size()) {
    ERR_clear_error();
    check.refusal = "the body is not a PKCS#10 request";
    return check;
  }
  check.subject = to_text(X509_REQ_get_subject_name(check.request.get()));
  check.alternative_names = alternative_names(check.request.get());
  check.refusal = check_signature(check, authority, now);
  ERR_clear_error();
  if (const std::string password = challenge_password(check.request.get()); !password.empty()) {
    check.binding = channel_binding.empty()                  ? "unverifiable"
                    : password == to_base64(channel_binding) ? "bound"
                                                             : "wrong";
  }
  return check;
}

std::string difference_from(const X509* certificate, const RequestCheck& check) {
  if (X509_NAME_cmp(X509_get_subject_name(certificate), X509_REQ_get_subject_name(check.request.get())) != 0) {
    return "the subject differs from the certificate's";
  }
  return alternative_names(certificate) == check.alternative_names
             ? ""
             : "the alternative names differ from the certificate's";
}

}  // namespace wvds::est_ca
