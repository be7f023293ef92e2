#include "est/csr_extensions.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "est/x509_text.h"

namespace wvds::est {
namespace {

using BitStringHandle = Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using KeyPurposesHandle = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

constexpr std::array<std::string_view, 9> kKeyUsages{"digitalSignature", "nonRepudiation", "keyEncipherment",
                                                     "dataEncipherment", "keyAgreement",   "keyCertSign",
                                                     "cRLSign",          "encipherOnly",   "decipherOnly"};

std::unexpected<Failure> bad_value(const std::string& what) {
  return openssl_failed(FailureKind::kConfiguration, "the request can't hold " + what);
}

bool has_extension(const CsrSpec& spec, std::string_view oid) {
  return std::ranges::any_of(spec.extensions, [&](const ExtensionValue& one) { return one.oid == oid; });
}

class Extensions {
 public:
  // add encodes OpenSSL's object of an extension.
  Outcome<> add(int nid, void* object, bool critical) {
    STACK_OF(X509_EXTENSION)* list = list_.release();
    const int added = X509V3_add1_i2d(&list, nid, object, critical ? 1 : 0, X509V3_ADD_APPEND);
    list_.reset(list);
    if (added == 1) return {};
    return bad_value(OBJ_nid2sn(nid));
  }

  Outcome<> add_encoded(const ASN1_OBJECT* type, bool critical, Bytes value) {
    const StringHandle octets(ASN1_OCTET_STRING_new());
    const bool filled = octets && ASN1_STRING_set(octets.get(), value.data(), static_cast<int>(value.size())) == 1;
    const X509ExtensionHandle made(filled ? X509_EXTENSION_create_by_OBJ(nullptr, type, critical ? 1 : 0, octets.get())
                                          : nullptr);
    STACK_OF(X509_EXTENSION)* list = list_.release();
    const bool added = made && X509v3_add_ext(&list, made.get(), -1) != nullptr;
    list_.reset(list);
    if (added) return {};
    return bad_value("extension " + oid_text(type));
  }

  ExtensionsHandle take() { return std::move(list_); }

 private:
  ExtensionsHandle list_;
};

GENERAL_NAME* general_name(int type, const std::string& value) {
  return a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, value.c_str(), 0);
}

// An entry must be one for the protocols that compare it: no blanks, no control characters, ASCII (RFC 5280, 4.2.1.6:
// IA5String).
bool is_plain(const std::string& value) {
  return !value.empty() && value.size() <= 255 &&
         std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f; });
}

Outcome<> add_names(GENERAL_NAMES* list, int type, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    GENERAL_NAME* name = is_plain(value) ? general_name(type, value) : nullptr;
    if (name == nullptr || sk_GENERAL_NAME_push(list, name) == 0) {
      GENERAL_NAME_free(name);
      return bad_value("the alternative name \"" + value + "\"");
    }
  }
  return {};
}

// RFC 5280, section 4.2.1.6: critical where the subject is empty.
Outcome<> add_alternative_names(const CsrSpec& spec, Extensions& extensions) {
  if (spec.names.empty()) return {};
  const GeneralNamesHandle list(GENERAL_NAMES_new());
  if (!list) return bad_value("alternative names");
  const std::pair<int, const std::vector<std::string>*> kinds[] = {{GEN_DNS, &spec.names.dns},
                                                                   {GEN_IPADD, &spec.names.ip},
                                                                   {GEN_URI, &spec.names.uri},
                                                                   {GEN_EMAIL, &spec.names.email}};
  for (const auto& [type, values] : kinds) {
    if (auto added = add_names(list.get(), type, *values); !added) return added;
  }
  return extensions.add(NID_subject_alt_name, list.get(), spec.subject.empty());
}

// copy_alternative_names takes the extension of the certificate that is renewed.
Outcome<> copy_alternative_names(const X509* certificate, Extensions& extensions) {
  const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at < 0) return {};
  const X509_EXTENSION* found = X509_get_ext(certificate, at);
  X509_EXTENSION* one = const_cast<X509_EXTENSION*>(found);  // OpenSSL's getters take no const
  return extensions.add_encoded(X509_EXTENSION_get_object(one), X509_EXTENSION_get_critical(one) == 1,
                                bytes_of(X509_EXTENSION_get_data(one)));
}

Outcome<> add_key_usage(const CsrSpec& spec, Extensions& extensions) {
  if (spec.key_usages.empty()) return {};
  const BitStringHandle bits(ASN1_BIT_STRING_new());
  for (const std::string& name : spec.key_usages) {
    const int bit = key_usage_bit(name);
    if (!bits || bit < 0 || ASN1_BIT_STRING_set_bit(bits.get(), bit, 1) != 1)
      return bad_value("the key usage \"" + name + "\"");
  }
  return extensions.add(NID_key_usage, bits.get(), true);  // RFC 5280, section 4.2.1.3: should be critical
}

Outcome<> add_extended_key_usage(const CsrSpec& spec, Extensions& extensions) {
  if (spec.extended_key_usages.empty()) return {};
  const KeyPurposesHandle list(sk_ASN1_OBJECT_new_null());
  for (const std::string& name : spec.extended_key_usages) {
    ObjectHandle object = object_of(name);
    if (!list || !object || sk_ASN1_OBJECT_push(list.get(), object.get()) == 0)
      return bad_value("the extended key usage \"" + name + "\"");
    static_cast<void>(object.release());
  }
  return extensions.add(NID_ext_key_usage, list.get(), false);
}

Outcome<> add_own(const CsrSpec& spec, Extensions& extensions) {
  for (const ExtensionValue& one : spec.extensions) {
    const ObjectHandle type(OBJ_txt2obj(one.oid.c_str(), 1));
    if (!type) return bad_value("an extension with the number \"" + one.oid + "\"");
    if (auto added = extensions.add_encoded(type.get(), one.critical, one.value); !added) return added;
  }
  return {};
}

}  // namespace

int key_usage_bit(const std::string& name) {
  const auto found = std::ranges::find(kKeyUsages, name);
  return found == kKeyUsages.end() ? -1 : static_cast<int>(found - kKeyUsages.begin());
}

Outcome<ExtensionsHandle> make_extensions(const CsrSpec& spec) {
  Extensions extensions;
  Outcome<> added;
  if (spec.renews) {
    added = copy_alternative_names(spec.renews->get(), extensions);
  } else if (!has_extension(spec, kOidAlternativeNames)) {
    added = add_alternative_names(spec, extensions);
  }
  if (added && !has_extension(spec, kOidKeyUsage)) added = add_key_usage(spec, extensions);
  if (added && !has_extension(spec, kOidExtendedKeyUsage)) added = add_extended_key_usage(spec, extensions);
  if (added) added = add_own(spec, extensions);
  if (!added) return std::unexpected(std::move(added.error()));
  return extensions.take();
}

}  // namespace wvds::est
