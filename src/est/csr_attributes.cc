#include "est/csr_attributes.h"

#include <openssl/asn1t.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/openssl_error.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

namespace wvds::est {

// RFC 9908, appendix A (implicit tags):
//   CertificationRequestInfoTemplate ::= SEQUENCE { version INTEGER, subject NameTemplate OPTIONAL,
//     subjectPKInfo [0] SubjectPublicKeyInfoTemplate OPTIONAL, attributes [1] Attributes }
struct RequestTemplate {
  ASN1_INTEGER* version;
  STACK_OF(ASN1_TYPE) * subject;
  STACK_OF(ASN1_TYPE) * key;
  STACK_OF(X509_ATTRIBUTE) * attributes;
};

// clang-format off
ASN1_SEQUENCE(RequestTemplate) = {
  ASN1_SIMPLE(RequestTemplate, version, ASN1_INTEGER),
  ASN1_SEQUENCE_OF_OPT(RequestTemplate, subject, ASN1_ANY),
  ASN1_IMP_SEQUENCE_OF_OPT(RequestTemplate, key, ASN1_ANY, 0),
  ASN1_IMP_SET_OF(RequestTemplate, attributes, X509_ATTRIBUTE, 1),
} static_ASN1_SEQUENCE_END(RequestTemplate)
    // clang-format on

    namespace {
  constexpr const char* kOidRequestTemplate = "1.2.840.113549.1.9.16.2.61";    // id-aa-certificationRequestInfoTemplate
  constexpr const char* kOidExtensionTemplate = "1.2.840.113549.1.9.16.2.62";  // id-aa-extensionReqTemplate

  void free_template(RequestTemplate * one) {
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(one), ASN1_ITEM_rptr(RequestTemplate));
  }
  using TemplateHandle = Handle<RequestTemplate, free_template>;
  using AlgorithmHandle = Handle<X509_ALGOR, X509_ALGOR_free>;
  using AnyList = STACK_OF(ASN1_TYPE);

  std::unexpected<Failure> bad_attributes(const std::string& what) {
    return openssl_failed(FailureKind::kBadAttributes, "the server's CSR attributes can't be read: " + what);
  }

  // list_of reads the elements of a SEQUENCE or SET; null when `any` is not one, or has too many.
  AnyListHandle list_of(const ASN1_TYPE* any, int type) {
    if (any == nullptr || any->type != type) return nullptr;
    const Bytes der = bytes_of(any->value.asn1_string);
    const unsigned char* position = octets_of(der);
    const auto length = static_cast<long>(der.size());
    AnyListHandle list(type == V_ASN1_SET ? d2i_ASN1_SET_ANY(nullptr, &position, length)
                                          : d2i_ASN1_SEQUENCE_ANY(nullptr, &position, length));
    return list && sk_ASN1_TYPE_num(list.get()) <= kMaxCsrAttributes ? std::move(list) : nullptr;
  }

  const ASN1_TYPE* element(const AnyListHandle& list, int at) { return sk_ASN1_TYPE_value(list.get(), at); }

  bool is_object(const ASN1_TYPE* any) { return any != nullptr && any->type == V_ASN1_OBJECT; }

  // What an object identifier that stands alone says

  bool is_subject_attribute(int nid) {
    constexpr std::array kKnown{NID_commonName,
                                NID_surname,
                                NID_serialNumber,
                                NID_countryName,
                                NID_localityName,
                                NID_stateOrProvinceName,
                                NID_streetAddress,
                                NID_organizationName,
                                NID_organizationalUnitName,
                                NID_title,
                                NID_givenName,
                                NID_initials,
                                NID_userId,
                                NID_domainComponent,
                                NID_pseudonym,
                                NID_dnQualifier,
                                NID_generationQualifier,
                                NID_pkcs9_emailAddress,
                                NID_organizationIdentifier,
                                NID_description};
    return std::ranges::find(kKnown, nid) != kKnown.end();
  }

  bool is_hash(int nid) {
    constexpr std::array kKnown{NID_sha1,   NID_sha224,   NID_sha256,   NID_sha384,
                                NID_sha512, NID_sha3_256, NID_sha3_384, NID_sha3_512};
    return std::ranges::find(kKnown, nid) != kKnown.end();
  }

  bool is_extension(int nid) { return nid == NID_subject_alt_name || nid == NID_key_usage || nid == NID_ext_key_usage; }

  // key_type_of returns the name of a key type or a curve; empty for anything else.
  std::string key_type_of(int nid) {
    if (nid == NID_X9_62_id_ecPublicKey) return "EC";
    if (nid == NID_rsaEncryption) return "RSA";
    if (nid == NID_X9_62_prime256v1) return "P-256";
    if (nid == NID_secp384r1) return "P-384";
    if (nid == NID_secp521r1) return "P-521";
    const std::string name = nid == NID_undef ? "" : OBJ_nid2ln(nid);
    return name.starts_with("ML-DSA-") || name.starts_with("ML-KEM-") || name.starts_with("SLH-DSA-") ||
                   name == "ED25519" || name == "ED448"
               ? name
               : "";
  }

  void take_object(const ASN1_OBJECT* object, CsrDemands& demands) {
    const int nid = OBJ_obj2nid(object);
    if (nid == NID_pkcs9_challengePassword) {
      demands.challenge_password = true;
    } else if (std::string key = key_type_of(nid); !key.empty()) {
      demands.keys.push_back({std::move(key)});
    } else if (is_hash(nid)) {
      demands.hashes.push_back(OBJ_nid2sn(nid));
    } else if (nid != NID_undef && OBJ_find_sigid_algs(nid, nullptr, nullptr) == 1) {
      demands.signatures.push_back(OBJ_nid2sn(nid));
    } else if (is_subject_attribute(nid)) {
      demands.wished.push_back(object_text(object));
    } else if (is_extension(nid)) {
      demands.extensions.push_back({.oid = oid_text(object), .critical = false, .value = std::nullopt});
    } else if (nid != NID_ext_req) {
      demands.unknown.push_back(object_text(object));
    }
  }

  // Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }, where the value may be
  // absent in a template (RFC 9908, appendix A).
  Outcome<> take_extension(const ASN1_TYPE* any, CsrDemands& demands) {
    const AnyListHandle fields = list_of(any, V_ASN1_SEQUENCE);
    const int count = fields ? sk_ASN1_TYPE_num(fields.get()) : 0;
    if (count < 1 || count > 3 || !is_object(element(fields, 0))) return bad_attributes("an extension is malformed");
    ExtensionDemand demand{.oid = oid_text(element(fields, 0)->value.object), .critical = false, .value = std::nullopt};
    int at = 1;
    if (at < count && element(fields, at)->type == V_ASN1_BOOLEAN)
      demand.critical = element(fields, at++)->value.boolean != 0;
    if (at < count && element(fields, at)->type == V_ASN1_OCTET_STRING) {
      const Bytes value = bytes_of(element(fields, at++)->value.octet_string);
      demand.value.emplace(value.begin(), value.end());
    }
    if (at != count) return bad_attributes("an extension is malformed");
    const bool twice =
        std::ranges::any_of(demands.extensions, [&](const auto& other) { return other.oid == demand.oid; });
    if (twice) return bad_attributes("extension " + demand.oid + " is there twice");  // RFC 9908, section 3.2
    demands.extensions.push_back(std::move(demand));
    return {};
  }

  // RFC 9908, section 3.2: the one value holds all extensions. Servers before it sent bare object identifiers.
  Outcome<> take_extensions(const X509_ATTRIBUTE* attribute, CsrDemands& demands) {
    for (int i = 0; i < X509_ATTRIBUTE_count(attribute); ++i) {
      const ASN1_TYPE* value = X509_ATTRIBUTE_get0_type(const_cast<X509_ATTRIBUTE*>(attribute), i);
      if (is_object(value)) {
        take_object(value->value.object, demands);
        continue;
      }
      const AnyListHandle extensions = list_of(value, V_ASN1_SEQUENCE);
      if (!extensions) return bad_attributes("the extension request is malformed");
      for (int n = 0; n < sk_ASN1_TYPE_num(extensions.get()); ++n) {
        if (auto taken = take_extension(element(extensions, n), demands); !taken) return taken;
      }
    }
    return {};
  }

  int64_t small_number(const ASN1_TYPE* any) {
    int64_t number = -1;
    if (any == nullptr || any->type != V_ASN1_INTEGER) return -1;
    const bool read = ASN1_INTEGER_get_int64(&number, any->value.integer) == 1;
    crypto::clear_openssl_errors();
    return read && number > 0 && number <= 16384 ? number : -1;
  }

  // RFC 9908, section 3.2: ecPublicKey with a curve, rsaEncryption with a size in bits, others without parameters.
  Outcome<> take_key(std::string type, const ASN1_TYPE* parameters, CsrDemands& demands) {
    int bits = 0;
    if (type == "EC" && parameters != nullptr) {
      if (!is_object(parameters)) return bad_attributes("a curve is not named");
      const ASN1_OBJECT* curve = parameters->value.object;
      type = key_type_of(OBJ_obj2nid(curve));
      if (!type.starts_with("P-")) type = object_text(curve);
    } else if (type == "RSA" && parameters != nullptr && parameters->type != V_ASN1_NULL) {
      bits = static_cast<int>(small_number(parameters));
      if (bits < 0) return bad_attributes("a key size is malformed");
    }
    demands.keys.push_back({std::move(type), bits});
    return {};
  }

  Outcome<> take_attribute(const X509_ATTRIBUTE* attribute, CsrDemands& demands) {
    auto* one = const_cast<X509_ATTRIBUTE*>(attribute);  // OpenSSL's getters take no const
    const ASN1_OBJECT* type = X509_ATTRIBUTE_get0_object(one);
    const int nid = OBJ_obj2nid(type);
    if (X509_ATTRIBUTE_count(attribute) > kMaxCsrAttributes) return bad_attributes("an attribute has too many values");
    if (nid == NID_ext_req || oid_text(type) == kOidExtensionTemplate) return take_extensions(attribute, demands);
    if (std::string key = key_type_of(nid); !key.empty())
      return take_key(std::move(key), X509_ATTRIBUTE_get0_type(one, 0), demands);
    take_object(type, demands);
    return {};
  }

  // RFC 9908, appendix A: SingleAttributeTemplate ::= SEQUENCE { type, value OPTIONAL }
  Outcome<> take_part(const ASN1_TYPE* any, CsrDemands& demands) {
    const AnyListHandle fields = list_of(any, V_ASN1_SEQUENCE);
    const int count = fields ? sk_ASN1_TYPE_num(fields.get()) : 0;
    if (count < 1 || count > 2 || !is_object(element(fields, 0))) return bad_attributes("the subject is malformed");
    PartDemand demand{.type = object_text(element(fields, 0)->value.object), .value = std::nullopt};
    if (count == 2) {
      const int type = element(fields, 1)->type;
      const bool text = type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING || type == V_ASN1_IA5STRING ||
                        type == V_ASN1_T61STRING || type == V_ASN1_BMPSTRING || type == V_ASN1_UNIVERSALSTRING;
      if (!text) return bad_attributes("the subject's " + demand.type + " is no text");
      demand.value = utf8_of(element(fields, 1)->value.asn1_string);
    }
    demands.subject.push_back(std::move(demand));
    return {};
  }

  Outcome<> take_subject(const AnyList* subject, CsrDemands& demands) {
    if (sk_ASN1_TYPE_num(subject) > static_cast<int>(kMaxSubjectParts))
      return bad_attributes("the subject is too long");
    for (int i = 0; i < sk_ASN1_TYPE_num(subject); ++i) {
      const AnyListHandle parts = list_of(sk_ASN1_TYPE_value(subject, i), V_ASN1_SET);
      if (!parts || sk_ASN1_TYPE_num(parts.get()) != 1)
        return bad_attributes("a part of the subject does not have one attribute");
      if (auto taken = take_part(element(parts, 0), demands); !taken) return taken;
    }
    return {};
  }

  // rsa_bits returns the size of the placeholder modulus (RFC 9908, section 3.4); 0 when there is none.
  int rsa_bits(const ASN1_TYPE* any) {
    if (any == nullptr || any->type != V_ASN1_BIT_STRING) return 0;
    const Bytes der = bytes_of(any->value.bit_string);
    const unsigned char* position = octets_of(der);
    const AnyListHandle numbers(d2i_ASN1_SEQUENCE_ANY(nullptr, &position, static_cast<long>(der.size())));
    crypto::clear_openssl_errors();
    const ASN1_TYPE* modulus = numbers ? element(numbers, 0) : nullptr;
    if (modulus == nullptr || modulus->type != V_ASN1_INTEGER) return 0;
    return static_cast<int>(bytes_of(modulus->value.integer).size() * 8);
  }

  // RFC 9908, appendix A: SubjectPublicKeyInfoTemplate ::= SEQUENCE { algorithm, subjectPublicKey BIT STRING OPTIONAL }
  Outcome<> take_key_template(const AnyList* fields, CsrDemands& demands) {
    const int count = sk_ASN1_TYPE_num(fields);
    const ASN1_TYPE* first = count == 1 || count == 2 ? sk_ASN1_TYPE_value(fields, 0) : nullptr;
    if (first == nullptr || first->type != V_ASN1_SEQUENCE) return bad_attributes("the key is malformed");
    const Bytes der = bytes_of(first->value.sequence);
    const unsigned char* position = octets_of(der);
    const AlgorithmHandle algorithm(d2i_X509_ALGOR(nullptr, &position, static_cast<long>(der.size())));
    if (!algorithm) return bad_attributes("the key's algorithm is malformed");
    std::string type = key_type_of(OBJ_obj2nid(algorithm->algorithm));
    if (type.empty()) type = object_text(algorithm->algorithm);
    auto taken = take_key(std::move(type), algorithm->parameter, demands);
    if (taken && demands.keys.back().type == "RSA" && count == 2)
      demands.keys.back().bits = rsa_bits(sk_ASN1_TYPE_value(fields, 1));
    return taken;
  }

  Outcome<CsrDemands> read_template(const X509_ATTRIBUTE* attribute) {
    auto* one = const_cast<X509_ATTRIBUTE*>(attribute);
    const ASN1_TYPE* value = X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(one, 0) : nullptr;
    if (value == nullptr || value->type != V_ASN1_SEQUENCE) return bad_attributes("the template is malformed");
    const Bytes der = bytes_of(value->value.sequence);
    const unsigned char* position = octets_of(der);
    const TemplateHandle read(reinterpret_cast<RequestTemplate*>(
        ASN1_item_d2i(nullptr, &position, static_cast<long>(der.size()), ASN1_ITEM_rptr(RequestTemplate))));
    if (!read || ASN1_INTEGER_get(read->version) != 0) return bad_attributes("the template is malformed");
    if (sk_X509_ATTRIBUTE_num(read->attributes) > kMaxCsrAttributes) return bad_attributes("too many attributes");

    CsrDemands demands;
    demands.from_template = true;
    Outcome<> taken;
    if (read->subject != nullptr) taken = take_subject(read->subject, demands);
    if (taken && read->key != nullptr) taken = take_key_template(read->key, demands);
    for (int i = 0; taken && i < sk_X509_ATTRIBUTE_num(read->attributes); ++i)
      taken = take_attribute(sk_X509_ATTRIBUTE_value(read->attributes, i), demands);
    if (!taken) return std::unexpected(std::move(taken.error()));
    return demands;
  }

  X509AttributeHandle attribute_of(const ASN1_TYPE* any) {
    if (any->type != V_ASN1_SEQUENCE) return nullptr;
    const Bytes der = bytes_of(any->value.sequence);
    const unsigned char* position = octets_of(der);
    return X509AttributeHandle(d2i_X509_ATTRIBUTE(nullptr, &position, static_cast<long>(der.size())));
  }

  // find_template looks for the template first: RFC 9908, section 4: a client that understands it must ignore the rest.
  Outcome<std::optional<CsrDemands>> find_template(const AnyListHandle& list) {
    std::optional<CsrDemands> found;
    for (int i = 0; i < sk_ASN1_TYPE_num(list.get()); ++i) {
      const X509AttributeHandle attribute = attribute_of(element(list, i));
      if (!attribute || oid_text(X509_ATTRIBUTE_get0_object(attribute.get())) != kOidRequestTemplate) continue;
      if (found) return bad_attributes("more than one template");
      auto demands = read_template(attribute.get());
      if (!demands) return std::unexpected(std::move(demands.error()));
      found = std::move(*demands);
    }
    crypto::clear_openssl_errors();
    return found;
  }

}  // namespace

Outcome<CsrDemands> parse_csr_attributes(Bytes der) {
  if (der.size() > kMaxCsrAttributesBytes)
    return failed(FailureKind::kTooLarge, "CSR attributes of " + std::to_string(der.size()) + " bytes: at most " +
                                              std::to_string(kMaxCsrAttributesBytes) + " are read");
  const unsigned char* position = octets_of(der);
  const AnyListHandle list(d2i_ASN1_SEQUENCE_ANY(nullptr, &position, static_cast<long>(der.size())));
  if (!list || position != octets_of(der) + der.size()) return bad_attributes("not one ASN.1 sequence");
  if (sk_ASN1_TYPE_num(list.get()) > kMaxCsrAttributes) return bad_attributes("more than 64 elements");

  auto by_template = find_template(list);
  if (!by_template) return std::unexpected(std::move(by_template.error()));
  if (*by_template) return std::move(**by_template);

  CsrDemands demands;
  for (int i = 0; i < sk_ASN1_TYPE_num(list.get()); ++i) {
    const ASN1_TYPE* one = element(list, i);
    if (is_object(one)) {
      take_object(one->value.object, demands);
      continue;
    }
    const X509AttributeHandle attribute = attribute_of(one);
    if (!attribute) return bad_attributes("an element is neither an object identifier nor an attribute");
    if (auto taken = take_attribute(attribute.get(), demands); !taken) return std::unexpected(std::move(taken.error()));
  }
  return demands;
}

}  // namespace wvds::est
