// Keys of the service in the hands of OpenSSL, with FIPS and without: signatures, requests, what is told about a key.

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "ossl_provider/provider_bed.h"

namespace wvds::test {
namespace {

class OsslProvider : public ::testing::TestWithParam<crypto::FipsMode> {
 protected:
  void SetUp() override { ASSERT_TRUE(service.start()); }

  Pkey load(uint32_t key) {
    auto loaded = ossl_provider::load_key(program.context(), uri_of(service, key));
    EXPECT_TRUE(loaded) << loaded.error().detail;
    EXPECT_EQ(ERR_peek_error(), 0ul);
    return loaded ? std::move(*loaded) : nullptr;
  }
  Pkey new_key(wvds_algorithm algorithm, uint32_t usages = 0) { return load(make_key(service, algorithm, usages)); }

  Program program{GetParam()};
  Daemon service;
};

INSTANTIATE_TEST_SUITE_P(Modes, OsslProvider, ::testing::Values(crypto::FipsMode::kRequired, crypto::FipsMode::kOff),
                         [](const auto& mode) {
                           return mode.param == crypto::FipsMode::kRequired ? "FipsRequired" : "WithoutFips";
                         });

TEST_P(OsslProvider, SignaturesVerifyUnderOpenSslAndNoTwoAreAlike) {
  for (const wvds_algorithm algorithm : kSigners) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    const Pkey key = new_key(algorithm);
    ASSERT_TRUE(key);
    const Pkey own = own_public_key(program, key.get());
    const Octets signature = sign_message(program, key.get(), algorithm, "a message");
    ASSERT_FALSE(signature.empty()) << errors_now();
    EXPECT_EQ(errors_now(), "") << "a program that looks into the queue would see a failure";
    EXPECT_TRUE(verifies(program, own.get(), algorithm, "a message", signature)) << errors_now();
    EXPECT_NE(sign_message(program, key.get(), algorithm, "a message"), signature);
    EXPECT_FALSE(verifies(program, own.get(), algorithm, "another message", signature));
    ERR_clear_error();
  }
}

TEST_P(OsslProvider, TheKeyItselfVerifiesToo) {
  for (const wvds_algorithm algorithm : kSigners) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    const Pkey key = new_key(algorithm);
    Octets signature = sign_message(program, key.get(), algorithm, "a message");
    EXPECT_TRUE(verifies(program, key.get(), algorithm, "a message", signature)) << errors_now();
    EXPECT_FALSE(verifies(program, key.get(), algorithm, "another message", signature));
    signature.back() ^= 1;
    EXPECT_FALSE(verifies(program, key.get(), algorithm, "a message", signature));
    ERR_clear_error();
  }
}

TEST_P(OsslProvider, MessagesMayComeInPieces) {
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_65, WVDS_ECDSA_P256, WVDS_ECDSA_P384}) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    const Pkey key = new_key(algorithm);
    const std::string message(50'000, 'm');
    const MdCtx signer(EVP_MD_CTX_new());
    ASSERT_EQ(EVP_DigestSignInit_ex(signer.get(), nullptr, digest_for(algorithm), program.context(), nullptr, key.get(),
                                    nullptr),
              1);
    for (size_t at = 0; at < message.size(); at += 1000)
      ASSERT_EQ(EVP_DigestSignUpdate(signer.get(), message.data() + at, 1000), 1);
    size_t length = 0;
    ASSERT_EQ(EVP_DigestSignFinal(signer.get(), nullptr, &length), 1);
    EXPECT_EQ(length, static_cast<size_t>(EVP_PKEY_get_size(key.get())));
    Octets signature(length);
    ASSERT_EQ(EVP_DigestSignFinal(signer.get(), signature.data(), &length), 1) << errors_now();
    signature.resize(length);
    EXPECT_TRUE(verifies(program, own_public_key(program, key.get()).get(), algorithm, message, signature));
  }
}

TEST_P(OsslProvider, EcSignsMessagesOfAnySizeAndMlDsaSaysWhereItEnds) {
  const std::string large(1'000'000, 'm');
  const Pkey ec = new_key(WVDS_ECDSA_P256);
  const Octets signature = sign_message(program, ec.get(), WVDS_ECDSA_P256, large);
  EXPECT_TRUE(verifies(program, own_public_key(program, ec.get()).get(), WVDS_ECDSA_P256, large, signature));

  const Pkey ml_dsa = new_key(WVDS_MLDSA_65);
  EXPECT_TRUE(sign_message(program, ml_dsa.get(), WVDS_MLDSA_65, large).empty());
  EXPECT_NE(errors_now().find("PAYLOAD_TOO_LARGE"), std::string::npos);
  const MdCtx signer(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestSignInit_ex(signer.get(), nullptr, nullptr, program.context(), nullptr, ml_dsa.get(), nullptr),
            1);
  EXPECT_NE(EVP_DigestSignUpdate(signer.get(), large.data(), large.size()), 1);
  EXPECT_NE(errors_now().find("at most 65528 bytes"), std::string::npos);
  const std::string largest(65'528, 'm');
  EXPECT_FALSE(sign_message(program, ml_dsa.get(), WVDS_MLDSA_65, largest).empty()) << errors_now();
}

TEST_P(OsslProvider, MlDsaTakesContextStringsAndSignsDeterministicallyWhereAsked) {
  const Pkey key = new_key(WVDS_MLDSA_44);
  const Pkey own = own_public_key(program, key.get());
  char context[] = "a context";
  int deterministic = 1;
  const OSSL_PARAM with_context[] = {
      OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, context, sizeof context - 1),
      OSSL_PARAM_END};
  const OSSL_PARAM without_chance[] = {OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &deterministic),
                                       OSSL_PARAM_END};
  const Octets signature = sign_message(program, key.get(), WVDS_MLDSA_44, "m", with_context);
  EXPECT_TRUE(verifies(program, own.get(), WVDS_MLDSA_44, "m", signature, with_context));
  EXPECT_TRUE(verifies(program, key.get(), WVDS_MLDSA_44, "m", signature, with_context));
  EXPECT_FALSE(verifies(program, own.get(), WVDS_MLDSA_44, "m", signature));
  const Octets same = sign_message(program, key.get(), WVDS_MLDSA_44, "m", without_chance);
  EXPECT_FALSE(same.empty());
  EXPECT_EQ(same, sign_message(program, key.get(), WVDS_MLDSA_44, "m", without_chance));
  ERR_clear_error();
}

TEST_P(OsslProvider, WhatWouldMakeAnotherSignatureThanAskedForIsRefused) {
  const Pkey key = new_key(WVDS_MLDSA_44);
  char entropy[32] = {};
  int raw = 0;
  const OSSL_PARAM with_entropy[] = {
      OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, entropy, sizeof entropy), OSSL_PARAM_END};
  const OSSL_PARAM unencoded[] = {OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING, &raw),
                                  OSSL_PARAM_END};
  EXPECT_TRUE(sign_message(program, key.get(), WVDS_MLDSA_44, "m", with_entropy).empty());
  EXPECT_TRUE(sign_message(program, key.get(), WVDS_MLDSA_44, "m", unencoded).empty());
  const Pkey ec = new_key(WVDS_ECDSA_P256);
  unsigned deterministic = 1;
  const OSSL_PARAM fixed[] = {OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &deterministic),
                              OSSL_PARAM_END};
  EXPECT_TRUE(sign_message(program, ec.get(), WVDS_ECDSA_P256, "m", fixed).empty());
  EXPECT_NE(errors_now().find("UNSUPPORTED"), std::string::npos);
}

TEST_P(OsslProvider, EcSignsDigestsAndRefusesOtherHashes) {
  const Pkey key = new_key(WVDS_ECDSA_P384);
  const Pkey own = own_public_key(program, key.get());
  for (const size_t size : {32, 48, 64}) {
    const Octets digest(size, 7);
    const PkeyCtx signer(EVP_PKEY_CTX_new_from_pkey(program.context(), key.get(), nullptr));
    ASSERT_EQ(EVP_PKEY_sign_init(signer.get()), 1) << errors_now();
    Octets signature(static_cast<size_t>(EVP_PKEY_get_size(key.get())));
    size_t length = signature.size();
    ASSERT_EQ(EVP_PKEY_sign(signer.get(), signature.data(), &length, digest.data(), digest.size()), 1) << errors_now();
    const PkeyCtx verifier(EVP_PKEY_CTX_new_from_pkey(program.context(), own.get(), nullptr));
    ASSERT_EQ(EVP_PKEY_verify_init(verifier.get()), 1);
    EXPECT_EQ(EVP_PKEY_verify(verifier.get(), signature.data(), length, digest.data(), digest.size()), 1);
    length = signature.size();
    EXPECT_NE(EVP_PKEY_sign(signer.get(), signature.data(), &length, digest.data(), 20), 1);
    EXPECT_NE(errors_now().find("a digest of 20 bytes"), std::string::npos);
  }
  const MdCtx signer(EVP_MD_CTX_new());
  EXPECT_NE(EVP_DigestSignInit_ex(signer.get(), nullptr, "SHA3-256", program.context(), nullptr, key.get(), nullptr),
            1);
  EXPECT_NE(errors_now().find("only with SHA-256, SHA-384 and SHA-512"), std::string::npos);
}

// ---- What OpenSSL is told

TEST_P(OsslProvider, TellsOfAKeyWhatOpenSslTellsOfItsPublicPart) {
  for (const wvds_algorithm algorithm : kSigners) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    const Pkey key = new_key(algorithm);
    const Pkey own = own_public_key(program, key.get());
    EXPECT_EQ(EVP_PKEY_get_bits(key.get()), EVP_PKEY_get_bits(own.get()));
    EXPECT_EQ(EVP_PKEY_get_security_bits(key.get()), EVP_PKEY_get_security_bits(own.get()));
    EXPECT_EQ(EVP_PKEY_get_security_category(key.get()), EVP_PKEY_get_security_category(own.get()));
    EXPECT_EQ(EVP_PKEY_get_size(key.get()), EVP_PKEY_get_size(own.get()));
    EXPECT_EQ(EVP_PKEY_get_id(key.get()), EVP_PKEY_get_id(own.get()));
    char digest[32] = "";
    char own_digest[32] = "";
    EXPECT_EQ(EVP_PKEY_get_default_digest_name(key.get(), digest, sizeof digest),
              EVP_PKEY_get_default_digest_name(own.get(), own_digest, sizeof own_digest));
    EXPECT_STREQ(digest, own_digest);
    char group[32] = "";
    char own_group[32] = "";
    EXPECT_EQ(EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr),
              EVP_PKEY_get_group_name(own.get(), own_group, sizeof own_group, nullptr));
    EXPECT_STREQ(group, own_group);
    EXPECT_EQ(EVP_PKEY_eq(key.get(), own.get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(own.get(), key.get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(key.get(), new_key(algorithm).get()), 0);
    ERR_clear_error();
  }
}

TEST_P(OsslProvider, NothingBringsThePrivatePartOut) {
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_65, WVDS_ECDSA_P256}) {
    const Pkey key = new_key(algorithm);
    OSSL_PARAM* params = nullptr;
    EXPECT_NE(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params), 1);
    EXPECT_NE(errors_now().find("nothing brings it out"), std::string::npos);
    EXPECT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_PUBLIC_KEY, &params), 1);
    EXPECT_EQ(OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PRIV_KEY), nullptr);
    OSSL_PARAM_free(params);
    unsigned char* der = nullptr;
    EXPECT_LE(i2d_PrivateKey(key.get(), &der), 0);
    EXPECT_EQ(der, nullptr);
    ERR_clear_error();
  }
}

TEST_P(OsslProvider, ACopyOfAKeySignsAndOutlivesIt) {
  Pkey key = new_key(WVDS_ECDSA_P256);
  const Pkey copy(EVP_PKEY_dup(key.get()));
  key.reset();
  ASSERT_TRUE(copy) << errors_now();
  EXPECT_FALSE(sign_message(program, copy.get(), WVDS_ECDSA_P256, "m").empty()) << errors_now();
}

// ---- Requests and certificates

TEST_P(OsslProvider, SignsRequestsAndCertificates) {
  for (const wvds_algorithm algorithm : kSigners) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    // a device's key, which signs nothing else
    const Pkey key = new_key(algorithm, WVDS_USAGE_TLS_AND_CSR);
    const Request request(X509_REQ_new_ex(program.context(), nullptr));
    const MdCtx signer(EVP_MD_CTX_new());
    ASSERT_EQ(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1), 1);
    ASSERT_EQ(X509_REQ_set_pubkey(request.get(), key.get()), 1) << errors_now();
    ASSERT_EQ(EVP_DigestSignInit_ex(signer.get(), nullptr, digest_for(algorithm), program.context(), nullptr, key.get(),
                                    nullptr),
              1)
        << errors_now();
    ASSERT_GT(X509_REQ_sign_ctx(request.get(), signer.get()), 0) << errors_now();
    EXPECT_EQ(X509_REQ_verify_ex(request.get(), X509_REQ_get0_pubkey(request.get()), program.context(), nullptr), 1);
    const Certificate certificate = self_signed(program, key.get(), algorithm);
    ASSERT_TRUE(certificate) << errors_now();
    EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1);
    EXPECT_EQ(X509_check_private_key(certificate.get(), key.get()), 1);
    EXPECT_EQ(errors_now(), "");
  }
}

TEST_P(OsslProvider, ADevicesKeyDoesNotSignWithAContext) {
  const Pkey key = new_key(WVDS_MLDSA_65, WVDS_USAGE_TLS_AND_CSR);
  char context[] = "a context";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, context, sizeof context - 1),
      OSSL_PARAM_END};
  EXPECT_TRUE(sign_message(program, key.get(), WVDS_MLDSA_65, "m", params).empty());
  EXPECT_NE(errors_now().find("WRONG_KEY_USAGE"), std::string::npos);
}

}  // namespace
}  // namespace wvds::test
