#include "ca/ossl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace wvds::est_ca {
namespace {

using Bio = Owned<BIO, BIO_free_all>;

Bio memory() { return Bio(ensure(BIO_new(BIO_s_mem()), "memory")); }
Bio reader(std::string_view text) {
  return Bio(ensure(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "memory"));
}

std::string content(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string names_in(const STACK_OF(X509_EXTENSION) * extensions) {
  const int at = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
  if (at < 0) return {};
  Bio out = memory();
  X509V3_EXT_print(out.get(), X509v3_get_ext(extensions, at), 0, 0);
  return content(out.get());
}

}  // namespace

void fail(const std::string& what) {
  char reason[256] = "";
  if (const unsigned long error = ERR_peek_last_error()) ERR_error_string_n(error, reason, sizeof reason);
  ERR_clear_error();
  throw std::runtime_error(what + " failed " + reason);
}

void ensure(bool worked, const char* what) {
  if (!worked) fail(what);
}

Key make_key(const std::string& algorithm) {
  if (algorithm.starts_with("P-")) return own(ensure(EVP_EC_gen(algorithm.c_str()), "EC key"));
  if (algorithm == "RSA-2048") return own(ensure(EVP_RSA_gen(2048), "RSA key"));
  return own(ensure(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm.c_str()), algorithm.c_str()));
}

std::string algorithm_of(const EVP_PKEY* key) {
  const char* type = EVP_PKEY_get0_type_name(key);
  if (std::string_view(type) == "EC") {
    char group[64] = "";
    EVP_PKEY_get_group_name(key, group, sizeof group, nullptr);
    const std::string_view name(group);
    return name == "prime256v1" ? "P-256" : name == "secp384r1" ? "P-384" : group;
  }
  return std::string_view(type) == "RSA" ? "RSA-" + std::to_string(EVP_PKEY_get_bits(key)) : type;
}

bool is_kem(const EVP_PKEY* key) { return algorithm_of(key).starts_with("ML-KEM"); }

const EVP_MD* digest_for(const EVP_PKEY* key) {
  const std::string algorithm = algorithm_of(key);
  if (algorithm.starts_with("ML-DSA")) return nullptr;
  return algorithm == "P-384" ? EVP_sha384() : EVP_sha256();
}

Bytes to_der(const X509* certificate) { return encoded(certificate, i2d_X509); }

Bytes private_key_der(const EVP_PKEY* key) {
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(ensure(EVP_PKEY2PKCS8(key), "PKCS#8"));
  return encoded(info.get(), i2d_PKCS8_PRIV_KEY_INFO);
}

std::string to_pem(const X509* certificate) {
  Bio out = memory();
  ensure(PEM_write_bio_X509(out.get(), certificate) == 1, "PEM");
  return content(out.get());
}

std::string to_pem(EVP_PKEY* key) {
  Bio out = memory();
  ensure(PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
  return content(out.get());
}

Certificate certificate_from_pem(std::string_view pem) {
  return own(ensure(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr), "certificate"));
}

Key key_from_pem(std::string_view pem) {
  return own(ensure(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr), "private key"));
}

std::string to_text(const X509_NAME* name) {
  Bio out = memory();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return content(out.get());
}

std::string to_text(const ASN1_INTEGER* serial) {
  return to_hex(Bytes(ASN1_STRING_get0_data(serial), ASN1_STRING_get0_data(serial) + ASN1_STRING_length(serial)));
}

std::string alternative_names(const X509* certificate) { return names_in(X509_get0_extensions(certificate)); }

std::string alternative_names(X509_REQ* request) {
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  std::string names = names_in(extensions);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return names;
}

Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  ensure(RAND_bytes(out.data(), static_cast<int>(count)) == 1, "random bytes");
  return out;
}

std::string to_hex(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Bytes digest(const char* algorithm, std::string_view data) {
  Bytes out(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  ensure(EVP_Q_digest(nullptr, algorithm, nullptr, data.data(), data.size(), out.data(), &size) == 1, "digest");
  out.resize(size);
  return out;
}

std::string to_base64(const Bytes& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(), static_cast<int>(bytes.size()))));
  return out;
}

Bytes from_base64(std::string_view text) {
  std::string packed;
  std::ranges::copy_if(text, std::back_inserter(packed), [](unsigned char c) { return std::isspace(c) == 0; });
  const std::size_t padding = packed.ends_with("==") ? 2 : packed.ends_with("=") ? 1 : 0;
  Bytes out(packed.size() / 4 * 3);
  const int size = EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(packed.data()),
                                   static_cast<int>(packed.size()));
  ensure(size >= 0 && packed.size() % 4 == 0, "base64");
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace wvds::est_ca
