#pragma once

#include <string>

#include "crypto/certificate_key.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"
#include "est/failure.h"

namespace wvds::est {

inline constexpr size_t kMaxServerKeyBytes = 32 << 10;

// ServerKey is a private key that the server made (/serverkeygen, RFC 7030, section 4.4.2): the PKCS#8 bytes for
// crypto_service to import, in locked memory that is wiped, and its public half, to find the certificate by.
struct ServerKey {
  crypto::LockedBytes pkcs8;
  std::string key_type;         // as crypto::key_type_name
  std::vector<std::byte> spki;  // DER SubjectPublicKeyInfo
};

// read_server_key takes the decoded application/pkcs8 part: one unencrypted PrivateKeyInfo (RFC 5958) of a key type
// that OpenSSL knows, with nothing after it. `der` is wiped in every case. kBadPkcs7 for anything else, naming an
// encrypted key or an EnvelopedData, which are not supported, kTooLarge over kMaxServerKeyBytes, kKeyService when there
// is no locked memory.
Outcome<ServerKey> read_server_key(const crypto::Library& library, MutableBytes der);

}  // namespace wvds::est
