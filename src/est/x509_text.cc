#include "est/x509_text.h"

#include <array>
#include <utility>

#include "crypto/openssl_error.h"

namespace wvds::est {
namespace {

std::string ascii_of(const ASN1_STRING* string) {
  const Bytes bytes = bytes_of(string);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_name(const GENERAL_NAME* name, Names& names) {
  int type = -1;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  if (type == GEN_DNS) names.dns.push_back(ascii_of(value));
  if (type == GEN_URI) names.uri.push_back(ascii_of(value));
  if (type == GEN_EMAIL) names.email.push_back(ascii_of(value));
  if (type == GEN_IPADD) names.ip.push_back(ip_text(value));
}

// RFC 4514, section 2.4: these are escaped anywhere, others only at the ends.
bool needs_escape(const std::string& value, size_t at) {
  const char c = value[at];
  if (std::string_view(",+\"\\<>;").find(c) != std::string_view::npos) return true;
  if (at == 0 && (c == ' ' || c == '#')) return true;
  return at + 1 == value.size() && c == ' ';
}

}  // namespace

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<size_t>(length)) : std::string();
}

std::string name_text(const X509_NAME* name) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return "";
  return text_of(bio.get());
}

std::string oid_text(const ASN1_OBJECT* object) {
  std::array<char, 256> text{};
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  return text.data();
}

std::string object_text(const ASN1_OBJECT* object) {
  const int nid = OBJ_obj2nid(object);
  return nid != NID_undef ? OBJ_nid2sn(nid) : oid_text(object);
}

std::string utf8_of(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, string);
  crypto::clear_openssl_errors();
  if (length < 0) return "";
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(length));
  OPENSSL_free(utf8);
  return text;
}

std::string ip_text(const ASN1_STRING* address) {
  const Bytes bytes = bytes_of(address);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  const auto byte = [&](size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  if (!bio) return "";
  if (bytes.size() == 4) {
    BIO_printf(bio.get(), "%u.%u.%u.%u", byte(0), byte(1), byte(2), byte(3));
  } else if (bytes.size() == 16) {
    for (size_t i = 0; i < 16; i += 2) BIO_printf(bio.get(), i == 0 ? "%x" : ":%x", byte(i) << 8 | byte(i + 1));
  }
  return text_of(bio.get());
}

Subject parts_of(const X509_NAME* name) {
  Subject parts;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    parts.push_back({object_text(X509_NAME_ENTRY_get_object(entry)), utf8_of(X509_NAME_ENTRY_get_data(entry))});
  }
  return parts;
}

Names names_of(const GENERAL_NAMES* list) {
  Names names;
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) add_name(sk_GENERAL_NAME_value(list, i), names);
  return names;
}

ObjectHandle object_of(const std::string& name) {
  ObjectHandle object(OBJ_txt2obj(name.c_str(), 0));
  crypto::clear_openssl_errors();
  return object;
}

std::unexpected<Failure> openssl_failed(FailureKind kind, std::string what) {
  if (const std::string reasons = crypto::openssl_reasons(); !reasons.empty()) what += ": " + reasons;
  return failed(kind, std::move(what));
}

std::string normal_ip(const std::string& text) {
  const StringHandle address(a2i_IPADDRESS(text.c_str()));
  crypto::clear_openssl_errors();
  return address ? ip_text(address.get()) : "";
}

std::string subject_text(const Subject& subject) {
  std::string text;
  for (auto part = subject.rbegin(); part != subject.rend(); ++part) {
    if (!text.empty()) text += ',';
    text += part->type + '=';
    for (size_t i = 0; i < part->value.size(); ++i) {
      if (needs_escape(part->value, i)) text += '\\';
      text += part->value[i];
    }
  }
  return text;
}

}  // namespace wvds::est
