#include "ca/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/x509v3.h>

namespace wvds::est_ca {
namespace {

void set_serial(X509* certificate) {
  Bytes bytes = random_bytes(16);
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7f) | 0x40);  // positive, and always as long
  const Owned<BIGNUM, BN_free> number(
      ensure(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), "serial"));
  ensure(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "serial");
}

void add_extension(X509* certificate, X509V3_CTX& context, int nid, const std::string& value) {
  if (value.empty()) return;
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      ensure(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), value.c_str()));
  ensure(X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

void set_times(X509* certificate, const Profile& profile) {
  ensure(ASN1_TIME_adj(X509_getm_notBefore(certificate), profile.not_before, 0, 0) != nullptr, "notBefore");
  ensure(ASN1_TIME_adj(X509_getm_notAfter(certificate), profile.not_after, 0, 0) != nullptr, "notAfter");
}

}  // namespace

Name make_name(const std::string& common_name) {
  Name name(ensure(X509_NAME_new(), "name"));
  ensure(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1,
         "name");
  return name;
}

Certificate make_certificate(const Profile& profile, const Issuer& issuer) {
  Certificate out = own(ensure(X509_new(), "certificate"));
  X509* certificate = out.get();
  X509* signer = issuer.certificate ? issuer.certificate.get() : certificate;
  X509_set_version(certificate, X509_VERSION_3);
  set_serial(certificate);
  set_times(certificate, profile);
  ensure(X509_set_subject_name(certificate, profile.subject) == 1, "subject");
  ensure(X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1, "issuer");
  ensure(X509_set_pubkey(certificate, profile.key) == 1, "public key");
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, certificate, nullptr, nullptr, 0);
  add_extension(certificate, context, NID_basic_constraints, profile.basic_constraints);
  add_extension(certificate, context, NID_key_usage, profile.key_usage);
  add_extension(certificate, context, NID_ext_key_usage, profile.extended_key_usage);
  add_extension(certificate, context, NID_subject_alt_name, profile.alternative_names);
  add_extension(certificate, context, NID_subject_key_identifier, "hash");
  add_extension(certificate, context, NID_authority_key_identifier, "keyid");
  ensure(X509_sign(certificate, issuer.key.get(), digest_for(issuer.key.get())) > 0, "signature");
  return out;
}

Certificate make_ca_certificate(const X509_NAME* subject, EVP_PKEY* key, const Issuer& issuer, std::int64_t not_before,
                                std::int64_t not_after) {
  return make_certificate({.subject = subject,
                           .key = key,
                           .not_before = not_before,
                           .not_after = not_after,
                           .basic_constraints = "critical,CA:TRUE",
                           .key_usage = "critical,keyCertSign,cRLSign"},
                          issuer);
}

Certificate break_signature(const Certificate& certificate) {
  Bytes der = to_der(certificate.get());
  der[der.size() - 20] ^= 1;  // the signature is what a certificate ends with
  const unsigned char* at = der.data();
  return own(ensure(d2i_X509(nullptr, &at, static_cast<long>(der.size())), "certificate"));
}

}  // namespace wvds::est_ca
