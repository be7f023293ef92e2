#include "ossl_provider/provider_bed.h"

#include <openssl/err.h>
#include <openssl/provider.h>

namespace wvds::test {

bool is_ml_dsa(wvds_algorithm algorithm) { return WVDS_MLDSA_PUBLIC_KEY_SIZE(algorithm) != 0; }

const char* digest_for(wvds_algorithm algorithm) {
  if (is_ml_dsa(algorithm)) return nullptr;
  return algorithm == WVDS_ECDSA_P256 ? "SHA256" : "SHA384";
}

Program::Program(crypto::FipsMode fips) {
  crypto::LibraryConfig config;
  config.fips = fips;
  auto loaded = crypto::Library::load(config);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().detail;
    std::abort();
  }
  library_ = std::move(*loaded);
  auto added = ossl_provider::add_provider(context());
  EXPECT_TRUE(added) << added.error().detail;
  if (added) provider_ = std::move(*added);
}

std::string errors_now() {
  std::string all;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    all.append(text).append(" ").append((flags & ERR_TXT_STRING) != 0 && data != nullptr ? data : "").append("\n");
  }
  return all;
}

uint32_t make_key(const Daemon& service, wvds_algorithm algorithm, uint32_t usages) {
  return make_key(Connection(service), WVDS_LIFETIME_PERSISTENT, algorithm, usages);
}

std::string uri_of(const Daemon& service, uint32_t key) {
  return "wvds:key=" + std::to_string(key) + ";socket=" + service.socket_path();
}

Pkey own_public_key(const Program& program, EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  EXPECT_GT(length, 0) << errors_now();
  const unsigned char* position = der;
  Pkey own(length > 0 ? d2i_PUBKEY_ex(nullptr, &position, length, program.context(), nullptr) : nullptr);
  OPENSSL_free(der);
  EXPECT_TRUE(own) << errors_now();
  EXPECT_STRNE(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(own.get())), ossl_provider::kProviderName);
  return own;
}

namespace {

const unsigned char* bytes(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

Octets sign_message(const Program& program, EVP_PKEY* key, wvds_algorithm algorithm, const std::string& message,
                    const OSSL_PARAM* params) {
  const MdCtx signer(EVP_MD_CTX_new());
  size_t length = 0;
  if (EVP_DigestSignInit_ex(signer.get(), nullptr, digest_for(algorithm), program.context(), nullptr, key, params) !=
          1 ||
      EVP_DigestSign(signer.get(), nullptr, &length, bytes(message), message.size()) != 1) {
    return {};
  }
  Octets signature(length);
  if (EVP_DigestSign(signer.get(), signature.data(), &length, bytes(message), message.size()) != 1) return {};
  signature.resize(length);
  return signature;
}

bool verifies(const Program& program, EVP_PKEY* key, wvds_algorithm algorithm, const std::string& message,
              const Octets& signature, const OSSL_PARAM* params) {
  const MdCtx verifier(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit_ex(verifier.get(), nullptr, digest_for(algorithm), program.context(), nullptr, key,
                                 params) == 1 &&
         EVP_DigestVerify(verifier.get(), signature.data(), signature.size(), bytes(message), message.size()) == 1;
}

Certificate self_signed(const Program& program, EVP_PKEY* key, wvds_algorithm algorithm) {
  Certificate certificate(X509_new_ex(program.context(), nullptr));
  X509* made = certificate.get();
  const auto* name = reinterpret_cast<const unsigned char*>("device");
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_set_version(made, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 86400);
  X509_NAME* subject = X509_NAME_new();
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0);
  const bool named = X509_set_subject_name(made, subject) == 1 && X509_set_issuer_name(made, subject) == 1;
  X509_NAME_free(subject);
  const MdCtx signer(EVP_MD_CTX_new());
  const bool is_signed = named && X509_set_pubkey(made, key) == 1 &&
                         EVP_DigestSignInit_ex(signer.get(), nullptr, digest_for(algorithm), program.context(), nullptr,
                                               key, nullptr) == 1 &&
                         X509_sign_ctx(made, signer.get()) > 0;
  return is_signed ? std::move(certificate) : nullptr;
}

}  // namespace wvds::test
