#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <vector>

#include "base/bytes.h"
#include "base/handle.h"
#include "crypto/certificate_key.h"

// Owning handles for OpenSSL's certificate objects, and bytes to and from them.
namespace wvds::est {

using crypto::KeyHandle;

using X509Handle = Handle<X509, X509_free>;
using X509ReqHandle = Handle<X509_REQ, X509_REQ_free>;
using X509NameHandle = Handle<X509_NAME, X509_NAME_free>;
using X509ExtensionHandle = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using X509AttributeHandle = Handle<X509_ATTRIBUTE, X509_ATTRIBUTE_free>;
using X509StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using X509StoreCtxHandle = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using Pkcs7Handle = Handle<PKCS7, PKCS7_free>;
using Pkcs8Handle = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using BioHandle = Handle<BIO, BIO_free>;
using ObjectHandle = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using IntegerHandle = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using StringHandle = Handle<ASN1_STRING, ASN1_STRING_free>;
using AnyHandle = Handle<ASN1_TYPE, ASN1_TYPE_free>;
using GeneralNamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;

inline void free_certificates(STACK_OF(X509) * list) { sk_X509_pop_free(list, X509_free); }
inline void forget_certificates(STACK_OF(X509) * list) { sk_X509_free(list); }
inline void free_any_list(STACK_OF(ASN1_TYPE) * list) { sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free); }
inline void free_extensions(STACK_OF(X509_EXTENSION) * list) { sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free); }
using OwnedCertificates = Handle<STACK_OF(X509), free_certificates>;
using BorrowedCertificates = Handle<STACK_OF(X509), forget_certificates>;
using AnyListHandle = Handle<STACK_OF(ASN1_TYPE), free_any_list>;
using ExtensionsHandle = Handle<STACK_OF(X509_EXTENSION), free_extensions>;

inline const unsigned char* octets_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// bytes_of is what a string of OpenSSL holds; it lives as long as the string.
inline Bytes bytes_of(const ASN1_STRING* string) {
  const int length = ASN1_STRING_length(string);
  if (length <= 0) return {};
  return std::as_bytes(std::span(ASN1_STRING_get0_data(string), static_cast<size_t>(length)));
}

// encoded_by calls an i2d function and returns the DER; empty when it fails.
template <class Object, class Encode>
std::vector<std::byte> encoded_by(Encode encode, Object* object) {
  unsigned char* der = nullptr;
  const int length = encode(object, &der);
  if (length <= 0) return {};
  const Bytes bytes = std::as_bytes(std::span(der, static_cast<size_t>(length)));
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  OPENSSL_free(der);
  return out;
}

}  // namespace wvds::est
