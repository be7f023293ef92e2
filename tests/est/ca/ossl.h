#pragma once

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wvds::est_ca {

using Bytes = std::vector<std::uint8_t>;

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <class T, auto kFree>
using Owned = std::unique_ptr<T, Freer<kFree>>;
using Request = Owned<X509_REQ, X509_REQ_free>;
using Name = Owned<X509_NAME, X509_NAME_free>;
using Pkcs7 = Owned<PKCS7, PKCS7_free>;

// Keys and certificates are handed around between threads.
using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;
inline Key own(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }
inline Certificate own(X509* certificate) { return {certificate, X509_free}; }

// ensure throws std::runtime_error with OpenSSL's reason where something did not work.
[[noreturn]] void fail(const std::string& what);
void ensure(bool worked, const char* what);
template <class T>
T* ensure(T* object, const char* what) {
  if (!object) fail(what);
  return object;
}

// encoded calls an i2d function.
template <class T, class Encode>
Bytes encoded(const T* object, Encode encode) {
  unsigned char* data = nullptr;
  const int size = encode(object, &data);
  ensure(size > 0, "encoding");
  Bytes out(data, data + size);
  OPENSSL_free(data);
  return out;
}

// make_key knows ML-DSA-44/65/87, ML-KEM-512/768/1024, P-256, P-384 and RSA-2048; algorithm_of names a key the same
// way.
Key make_key(const std::string& algorithm);
std::string algorithm_of(const EVP_PKEY* key);
bool is_kem(const EVP_PKEY* key);
// The digest to sign with: none for ML-DSA.
const EVP_MD* digest_for(const EVP_PKEY* key);

Bytes to_der(const X509* certificate);
Bytes private_key_der(const EVP_PKEY* key);  // PKCS#8
std::string to_pem(const X509* certificate);
std::string to_pem(EVP_PKEY* key);
Certificate certificate_from_pem(std::string_view pem);
Key key_from_pem(std::string_view pem);

std::string to_text(const X509_NAME* name);       // RFC 2253
std::string to_text(const ASN1_INTEGER* serial);  // hexadecimal
std::string alternative_names(const X509* certificate);
std::string alternative_names(X509_REQ* request);

Bytes random_bytes(std::size_t count);
std::string to_hex(const Bytes& bytes);
Bytes digest(const char* algorithm, std::string_view data);
std::string to_base64(const Bytes& bytes);
// White space is passed over. Throws for anything else that is not base64.
Bytes from_base64(std::string_view text);

}  // namespace wvds::est_ca
