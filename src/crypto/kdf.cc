#include "crypto/kdf.h"

#include <openssl/core_names.h>

#include <limits>
#include <vector>

#include "crypto/fetched.h"
#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

constexpr std::string_view kKemSalt = "WvdS-KEM-v1";

// The lower bounds of SP 800-132 and SP 800-63B that the FIPS provider holds; held in every mode, so that what one mode
// made another can open.
constexpr size_t kMinPassphrase = 8;
constexpr size_t kMinPbkdf2Salt = 16;
constexpr uint32_t kMinIterations = 1000;

OSSL_PARAM digest_param(const char* name) {
  return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(name), 0);
}

Result<> derive(EVP_KDF* kdf, const OSSL_PARAM* parameters, MutableBytes out, const char* what) {
  const KdfCtxHandle context(kdf != nullptr ? EVP_KDF_CTX_new(kdf) : nullptr);
  if (context && !out.empty() && EVP_KDF_derive(context.get(), data_of(out), out.size(), parameters) == 1) return {};
  wipe(out);
  return openssl_failure(Status::kCryptoError, std::string(what) + " failed");
}

Result<> check_inputs(const KemKeyInputs& inputs) {
  const AlgorithmInfo* info = is_ml_kem(inputs.kem) ? algorithm_info(inputs.kem) : nullptr;
  if (info == nullptr) return fail(Status::kWrongKeyType, "key from KEM: not an algorithm of ML-KEM");
  const bool direction_known =
      inputs.direction == KemDirection::kToDecapsulator || inputs.direction == KemDirection::kToEncapsulator;
  if (!direction_known || inputs.encapsulation_key.size() != info->public_key ||
      inputs.ciphertext.size() != info->kem_ciphertext ||
      inputs.context.size() > std::numeric_limits<uint16_t>::max()) {
    return fail(Status::kInvalidPayload, "key from KEM: an input has a wrong length");
  }
  return {};
}

void write_field(Writer& writer, Bytes field) {
  writer.u16(static_cast<uint16_t>(field.size()));
  writer.bytes(field);
}

void write_field(Writer& writer, uint8_t field) { write_field(writer, std::as_bytes(std::span(&field, 1))); }

Result<std::vector<std::byte>> kem_key_info(const Library& library, const KemKeyInputs& inputs) {
  WVDS_ASSIGN(encapsulation_key, sha256(library, inputs.encapsulation_key));
  WVDS_ASSIGN(ciphertext, sha256(library, inputs.ciphertext));
  constexpr size_t kFields = 6;
  constexpr size_t kBytes = 3;  // direction and two algorithms
  std::vector<std::byte> info(kFields * sizeof(uint16_t) + kBytes + encapsulation_key.size() + ciphertext.size() +
                              inputs.context.size());
  Writer writer(info);
  write_field(writer, static_cast<uint8_t>(inputs.direction));
  write_field(writer, static_cast<uint8_t>(inputs.kem));
  write_field(writer, encapsulation_key);
  write_field(writer, ciphertext);
  write_field(writer, static_cast<uint8_t>(Algorithm::kAes256Gcm));
  write_field(writer, inputs.context);
  WVDS_TRY(writer.finish());
  return info;
}

}  // namespace

Result<> hkdf_sha256(const Library& library, Bytes secret, Bytes salt, Bytes info, MutableBytes out) {
  const std::array parameters{digest_param("SHA256"), octet_param(OSSL_KDF_PARAM_KEY, secret),
                              octet_param(OSSL_KDF_PARAM_SALT, salt), octet_param(OSSL_KDF_PARAM_INFO, info),
                              OSSL_PARAM_construct_end()};
  return derive(library.fetched().hkdf.get(), parameters.data(), out, "HKDF-SHA256");
}

Result<> pbkdf2_sha512(const Library& library, Bytes passphrase, Bytes salt, uint32_t iterations, MutableBytes out) {
  if (passphrase.size() < kMinPassphrase || salt.size() < kMinPbkdf2Salt || iterations < kMinIterations) {
    wipe(out);
    return fail(Status::kInvalidPayload,
                "PBKDF2 needs a passphrase of 8 bytes, a salt of 16 bytes and 1000 iterations at least");
  }
  const std::array parameters{
      digest_param("SHA512"), octet_param(OSSL_KDF_PARAM_PASSWORD, passphrase), octet_param(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &iterations), OSSL_PARAM_construct_end()};
  return derive(library.fetched().pbkdf2.get(), parameters.data(), out, "PBKDF2");
}

Result<std::array<std::byte, 32>> sha256(const Library& library, Bytes data) {
  std::array<std::byte, 32> digest{};
  unsigned int length = 0;
  const EVP_MD* md = library.fetched().sha256.get();
  if (md == nullptr ||
      EVP_Digest(data_of(data), data.size(), data_of(MutableBytes(digest)), &length, md, nullptr) != 1 ||
      length != digest.size()) {
    return openssl_failure(Status::kCryptoError, "SHA-256 failed");
  }
  return digest;
}

Result<LockedBytes> key_from_kem(const Library& library, const SharedSecret& secret, const KemKeyInputs& inputs) {
  WVDS_TRY(check_inputs(inputs));
  WVDS_ASSIGN(info, kem_key_info(library, inputs));
  WVDS_ASSIGN(key, LockedBytes::of_size(kAesKeySize));
  WVDS_TRY(hkdf_sha256(library, secret.expose(), as_bytes(kKemSalt), info, key.expose_for_writing()));
  return key;
}

}  // namespace wvds::crypto
