#include "crypto/certificate_key.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/ec_key.h"
#include "crypto/fetched.h"
#include "crypto/openssl_error.h"
#include "crypto/openssl_handles.h"
#include "crypto/pqc_key.h"

namespace wvds::crypto {
namespace {

struct CurveName {
  std::string_view openssl;
  const char* name;
};
constexpr std::array kCurveNames{CurveName{"prime256v1", "P-256"}, CurveName{"secp384r1", "P-384"},
                                 CurveName{"secp521r1", "P-521"}};

std::string curve_name(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return "EC";
  const std::string_view found(group.data(), length);
  for (const CurveName& curve : kCurveNames) {
    if (curve.openssl == found) return curve.name;
  }
  return std::string(found);
}

Result<KeyHandle> decode_key(const Library& library, const char* structure, int selection, Bytes der) {
  EVP_PKEY* key = nullptr;
  const DecoderCtxHandle decoder(
      OSSL_DECODER_CTX_new_for_pkey(&key, "DER", structure, nullptr, selection, library.context(), nullptr));
  const unsigned char* position = data_of(der);
  size_t left = der.size();
  const bool decoded = decoder && OSSL_DECODER_from_data(decoder.get(), &position, &left) == 1 && left == 0;
  KeyHandle owned(key);
  if (!decoded || !owned) return openssl_failure(Status::kInvalidPayload, std::string("not a ") + structure);
  return owned;
}

}  // namespace

void KeyRelease::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

std::string key_type_name(const evp_pkey_st* key) {
  if (key == nullptr) return "";
  if (EVP_PKEY_is_a(key, "EC") == 1) return curve_name(key);
  if (EVP_PKEY_is_a(key, "RSA") == 1) return "RSA-" + std::to_string(EVP_PKEY_get_bits(key));
  const char* name = EVP_PKEY_get0_type_name(key);
  return name != nullptr ? name : "";
}

bool can_sign(const evp_pkey_st* key) {
  const bool can = key != nullptr && EVP_PKEY_can_sign(key) == 1;
  clear_openssl_errors();
  return can;
}

int security_bits(const evp_pkey_st* key) {
  const int bits = key != nullptr ? EVP_PKEY_get_security_bits(key) : 0;
  return bits > 0 ? bits : 0;
}

const evp_md_st* signing_digest(const Library& library, const evp_pkey_st* key) {
  const Fetched& fetched = library.fetched();
  if (key == nullptr) return nullptr;
  if (EVP_PKEY_is_a(key, "RSA") == 1) return fetched.sha256.get();
  if (EVP_PKEY_is_a(key, "EC") != 1) return nullptr;
  const int bits = EVP_PKEY_get_bits(key);
  if (bits <= 256) return fetched.sha256.get();
  return bits <= 384 ? fetched.sha384.get() : fetched.sha512.get();
}

bool same_public_key(const evp_pkey_st* a, const evp_pkey_st* b) {
  if (a == nullptr || b == nullptr) return false;
  const bool equal = EVP_PKEY_eq(a, b) == 1;
  clear_openssl_errors();
  if (equal) return true;
  // Keys of providers that can't read each other's are compared by their encoding.
  const auto encoded_a = spki_of(a);
  const auto encoded_b = spki_of(b);
  return encoded_a && encoded_b && std::ranges::equal(*encoded_a, *encoded_b);
}

Result<std::vector<std::byte>> spki_of(const evp_pkey_st* key) {
  unsigned char* encoded = nullptr;
  const int length = i2d_PUBKEY(key, &encoded);
  if (length <= 0) return openssl_failure(Status::kCryptoError, "the public key can't be encoded");
  const Bytes bytes = std::as_bytes(std::span(encoded, static_cast<size_t>(length)));
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  OPENSSL_free(encoded);
  return out;
}

Result<KeyHandle> key_from_spki(const Library& library, Bytes der) {
  return decode_key(library, "SubjectPublicKeyInfo", EVP_PKEY_PUBLIC_KEY, der);
}

Result<KeyHandle> key_from_pkcs8(const Library& library, Bytes der) {
  return decode_key(library, "PrivateKeyInfo", EVP_PKEY_KEYPAIR, der);
}

Result<KeyHandle> key_from_pem(const Library& library, Bytes text) {
  const std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })> source(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  KeyHandle key(source == nullptr ? nullptr
                                  : PEM_read_bio_PrivateKey_ex(source.get(), nullptr, no_passphrase, nullptr,
                                                               library.context(), nullptr));
  if (!key) return openssl_failure(Status::kInvalidPayload, "no private key in PEM without a passphrase");
  return key;
}

Result<KeyHandle> key_from_raw(const Library& library, Algorithm algorithm, Bytes public_key) {
  if (is_ecdsa(algorithm)) {
    WVDS_ASSIGN(curve, ecdsa_algorithm(library, algorithm));
    WVDS_ASSIGN(point, ec_public_key(library, *curve, *algorithm_info(algorithm), public_key));
    return KeyHandle(point.release());
  }
  WVDS_ASSIGN(fetched, pqc_algorithm(library, is_ml_dsa(algorithm) ? kMlDsaFamily : kMlKemFamily, algorithm));
  WVDS_ASSIGN(key, pqc_public_key(*fetched, *algorithm_info(algorithm), public_key));
  return KeyHandle(key.release());
}

}  // namespace wvds::crypto
