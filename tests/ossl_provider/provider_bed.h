#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/handle.h"
#include "crypto/library.h"
#include "ossl_provider/provider.h"
#include "support/daemon.h"

// A program with the provider and a service, for tests.
namespace wvds::test {

using Octets = std::vector<unsigned char>;
using ossl_provider::Pkey;

using MdCtx = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using PkeyCtx = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Certificate = Handle<X509, X509_free>;
using Request = Handle<X509_REQ, X509_REQ_free>;
using SslCtx = Handle<SSL_CTX, SSL_CTX_free>;
using SslEnd = Handle<SSL, SSL_free>;

// kServiceWithoutFips is JSON of the service's section "fips".
inline constexpr const char* kServiceWithoutFips = R"("off")";

// The algorithms that sign
inline constexpr wvds_algorithm kSigners[] = {WVDS_MLDSA_44, WVDS_MLDSA_65, WVDS_MLDSA_87, WVDS_ECDSA_P256,
                                              WVDS_ECDSA_P384};
bool is_ml_dsa(wvds_algorithm algorithm);

// digest_for is what a key's messages are hashed with; null where it hashes by itself.
const char* digest_for(wvds_algorithm algorithm);

// Program is an OpenSSL library context as a program has it, with the provider.
class Program {
 public:
  explicit Program(crypto::FipsMode fips);
  ossl_lib_ctx_st* context() const { return library_->context(); }

 private:
  std::unique_ptr<crypto::Library> library_;
  ossl_provider::LoadedProvider provider_;
};

// errors_now empties the thread's error queue into one text.
std::string errors_now();

// make_key makes a persistent key and returns its id; usages 0 are the algorithm's default.
uint32_t make_key(const Daemon& service, wvds_algorithm algorithm, uint32_t usages = 0);
std::string uri_of(const Daemon& service, uint32_t key);

// own_public_key is the key's public part in the hands of OpenSSL's own providers, by way of its DER encoding.
Pkey own_public_key(const Program& program, EVP_PKEY* key);

// sign_message signs in one go; empty when it fails. verifies checks with whatever provider the key is of.
Octets sign_message(const Program& program, EVP_PKEY* key, wvds_algorithm algorithm, const std::string& message,
                    const OSSL_PARAM* params = nullptr);
bool verifies(const Program& program, EVP_PKEY* key, wvds_algorithm algorithm, const std::string& message,
              const Octets& signature, const OSSL_PARAM* params = nullptr);

// self_signed makes a certificate of the key for itself; null when it can't be signed.
Certificate self_signed(const Program& program, EVP_PKEY* key, wvds_algorithm algorithm);

}  // namespace wvds::test
