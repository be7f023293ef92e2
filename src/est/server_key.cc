#include "est/server_key.h"

#include <utility>

#include "crypto/openssl_error.h"
#include "est/x509_handles.h"

namespace wvds::est {
namespace {

// what_it_is names the encrypted forms of RFC 7030, section 4.4.2, so that the administrator knows what to switch off.
std::string what_it_is(Bytes der) {
  const unsigned char* position = octets_of(der);
  const Handle<X509_SIG, X509_SIG_free> encrypted(d2i_X509_SIG(nullptr, &position, static_cast<long>(der.size())));
  position = octets_of(der);
  const Pkcs7Handle message(encrypted ? nullptr : d2i_PKCS7(nullptr, &position, static_cast<long>(der.size())));
  crypto::clear_openssl_errors();
  if (encrypted) return "an encrypted PKCS#8 key";
  return message ? "a PKCS#7 message" : "not a PKCS#8 key";
}

Outcome<ServerKey> read_key(const crypto::Library& library, Bytes der) {
  if (der.size() > kMaxServerKeyBytes)
    return failed(FailureKind::kTooLarge, "a private key of " + std::to_string(der.size()) + " bytes");
  auto key = crypto::key_from_pkcs8(library, der);
  if (!key)
    return failed(FailureKind::kBadPkcs7, "the private key part is " + what_it_is(der) +
                                              ": only an unencrypted PKCS#8 key is supported (" + key.error().detail +
                                              ")");
  auto spki = crypto::spki_of(key->get());
  if (!spki) return failed(FailureKind::kBadPkcs7, std::move(spki.error().detail));
  auto held = crypto::LockedBytes::copy_of(der);
  if (!held) return failed(FailureKind::kKeyService, std::move(held.error().detail));
  return ServerKey{std::move(*held), crypto::key_type_name(key->get()), std::move(*spki)};
}

}  // namespace

Outcome<ServerKey> read_server_key(const crypto::Library& library, MutableBytes der) {
  auto key = read_key(library, der);
  crypto::wipe(der);
  return key;
}

}  // namespace wvds::est
