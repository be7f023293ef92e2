#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

struct evp_md_st;
struct evp_pkey_st;

// Keys as certificates and certificate requests hold them: of any type that OpenSSL knows. For est/ and what stands
// above it, which may not use EVP.
namespace wvds::crypto {

struct KeyRelease {
  void operator()(evp_pkey_st* key) const;
};
using KeyHandle = std::unique_ptr<evp_pkey_st, KeyRelease>;

// key_type_name returns "ML-DSA-65", "ML-KEM-768", "P-256", "P-384", "RSA-3072" (with its modulus's bits), and for
// other types OpenSSL's name. Empty for a null pointer and for a key without a name.
std::string key_type_name(const evp_pkey_st* key);

// can_sign is false for ML-KEM and other keys that only establish secrets.
bool can_sign(const evp_pkey_st* key);

// security_bits is the strength of a key as SP 800-57 counts it: 112 for RSA-2048, 128 for P-256. 0 when unknown.
int security_bits(const evp_pkey_st* key);

// signing_digest returns the hash that certificates and requests are signed with by such a key: SHA-256, -384 or -512
// after the strength of an ECDSA key, SHA-256 for RSA, null for keys that hash themselves (ML-DSA). It lives as long as
// the library.
const evp_md_st* signing_digest(const Library& library, const evp_pkey_st* key);

// same_public_key compares the public halves, also of keys that live in different providers.
bool same_public_key(const evp_pkey_st* a, const evp_pkey_st* b);

// spki_of returns the DER SubjectPublicKeyInfo (RFC 5280, section 4.1) of a key. kCryptoError when its provider does
// not hand the public half out.
Result<std::vector<std::byte>> spki_of(const evp_pkey_st* key);

// key_from_spki reads a public key of any type: kInvalidPayload for anything else and for bytes after it.
// key_from_pkcs8 does so with a private key (RFC 5958), unencrypted.
Result<KeyHandle> key_from_spki(const Library& library, Bytes der);
Result<KeyHandle> key_from_pkcs8(const Library& library, Bytes der);

// key_from_pem reads the private key of a PEM text, unencrypted; kInvalidPayload.
Result<KeyHandle> key_from_pem(const Library& library, Bytes text);

// key_from_raw takes a public key of ML-DSA or ML-KEM as FIPS 203 and 204 encode it, or an uncompressed point of an
// ECDSA curve. kWrongKeyType, kUnsupported, kInvalidPayload.
Result<KeyHandle> key_from_raw(const Library& library, Algorithm algorithm, Bytes public_key);

}  // namespace wvds::crypto
