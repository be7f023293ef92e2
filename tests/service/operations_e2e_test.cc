// Every operation of the C library against the real service, with the FIPS provider.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "support/daemon.h"

namespace wvds::test {
namespace {

using Octets = std::vector<uint8_t>;

Octets octets(std::string_view text) { return {text.begin(), text.end()}; }

class Operations : public testing::Test {
 protected:
  // One daemon for all: a start costs more than the tests.
  static void SetUpTestSuite() {
    daemon_ = std::make_unique<Daemon>();
    ASSERT_TRUE(daemon_->start());
  }
  static void TearDownTestSuite() {
    EXPECT_EQ(daemon_->stop(), 0);
    daemon_.reset();
  }
  void SetUp() override { ASSERT_EQ(connection_.status(), WVDS_SUCCESS); }

  wvds_session* session() { return connection_.get(); }

  uint32_t generate(wvds_algorithm algorithm, uint32_t usages = 0, wvds_lifetime lifetime = WVDS_LIFETIME_SESSION) {
    return make_key(connection_, lifetime, algorithm, usages);
  }
  Octets public_key(uint32_t key) {
    Octets out(WVDS_MAX_PUBLIC_KEY_SIZE);
    size_t length = 0;
    EXPECT_EQ(wvds_key_public(session(), out.data(), &length, out.size(), key, 0), WVDS_SUCCESS);
    out.resize(length);
    return out;
  }
  Octets encrypt(uint32_t key, const Octets& plaintext, const Octets& aad = {}) {
    Octets sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext.size()));
    size_t length = 0;
    EXPECT_EQ(wvds_aes_encrypt(session(), sealed.data(), &length, sealed.size(), key, plaintext.data(),
                               plaintext.size(), aad.data(), aad.size()),
              WVDS_SUCCESS);
    sealed.resize(length);
    return sealed;
  }
  wvds_status decrypt(uint32_t key, const Octets& sealed, Octets& plaintext, const Octets& aad = {}) {
    plaintext.resize(WVDS_AES_DECRYPT_OUTPUT_SIZE(sealed.size()));
    size_t length = 0;
    const wvds_status status = wvds_aes_decrypt(session(), plaintext.data(), &length, plaintext.size(), key,
                                                sealed.data(), sealed.size(), aad.data(), aad.size());
    plaintext.resize(length);
    return status;
  }

  static std::unique_ptr<Daemon> daemon_;
  Connection connection_{*daemon_};
};

std::unique_ptr<Daemon> Operations::daemon_;

TEST_F(Operations, AesRoundTripsOfAllSizes) {
  const uint32_t key = generate(WVDS_AES_256_GCM);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{64}, size_t{1000}, size_t{16384}, size_t{65490}}) {
    Octets plaintext(size);
    for (size_t i = 0; i < size; ++i) plaintext[i] = static_cast<uint8_t>(i * 7);
    Octets opened;
    ASSERT_EQ(decrypt(key, encrypt(key, plaintext, octets("header")), opened, octets("header")), WVDS_SUCCESS) << size;
    EXPECT_EQ(opened, plaintext);
  }
}

TEST_F(Operations, AesRefusesTamperingAndReplay) {
  const uint32_t key = generate(WVDS_AES_256_GCM);
  Octets sealed = encrypt(key, octets("once"));
  Octets opened;
  sealed[14] ^= 1;
  EXPECT_EQ(decrypt(key, sealed, opened), WVDS_DECRYPTION_FAILED);
  sealed[14] ^= 1;
  EXPECT_EQ(decrypt(key, sealed, opened), WVDS_SUCCESS);
  EXPECT_EQ(decrypt(key, sealed, opened), WVDS_NONCE_REUSE);
}

TEST_F(Operations, MlDsaSignsAndVerifies) {
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_44, WVDS_MLDSA_65, WVDS_MLDSA_87}) {
    const uint32_t key = generate(algorithm);
    const Octets message(WVDS_MLDSA_MAX_MESSAGE_SIZE, 0x61);
    const Octets context = octets("test");
    Octets signature(WVDS_MLDSA_SIGNATURE_SIZE(algorithm));
    size_t length = 0;
    ASSERT_EQ(wvds_mldsa_sign(session(), signature.data(), &length, signature.size(), key, message.data(),
                              message.size(), context.data(), context.size(), 0),
              WVDS_SUCCESS);
    EXPECT_EQ(length, signature.size());
    const Octets raw = public_key(key);
    const wvds_public_key by_id = wvds_public_key_by_id(key);
    const wvds_public_key by_bytes = wvds_public_key_raw(algorithm, raw.data(), raw.size());
    for (const wvds_public_key* which : {&by_id, &by_bytes}) {
      EXPECT_EQ(wvds_mldsa_verify(session(), which, signature.data(), length, message.data(), message.size(),
                                  context.data(), context.size(), 0),
                WVDS_SUCCESS);
      EXPECT_EQ(wvds_mldsa_verify(session(), which, signature.data(), length, message.data(), message.size() - 1,
                                  context.data(), context.size(), 0),
                WVDS_SIGNATURE_INVALID);
    }
  }
}

TEST_F(Operations, MlDsaSignsAMu) {
  const uint32_t key = generate(WVDS_MLDSA_65, WVDS_USAGE_SIGN_MU | WVDS_USAGE_VERIFY);
  const Octets mu(WVDS_MLDSA_MU_SIZE, 5);
  Octets signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  size_t length = 0;
  ASSERT_EQ(wvds_mldsa_sign(session(), signature.data(), &length, signature.size(), key, mu.data(), mu.size(), nullptr,
                            0, WVDS_MLDSA_EXTERNAL_MU | WVDS_MLDSA_DETERMINISTIC),
            WVDS_SUCCESS);
  const wvds_public_key by_id = wvds_public_key_by_id(key);
  EXPECT_EQ(wvds_mldsa_verify(session(), &by_id, signature.data(), length, mu.data(), mu.size(), nullptr, 0,
                              WVDS_MLDSA_EXTERNAL_MU),
            WVDS_SUCCESS);
}

TEST_F(Operations, EcdsaSignsAndVerifies) {
  for (const wvds_algorithm algorithm : {WVDS_ECDSA_P256, WVDS_ECDSA_P384}) {
    const uint32_t key = generate(algorithm);
    const Octets message(WVDS_ECDSA_MAX_MESSAGE_SIZE, 0x61);
    Octets signature(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
    size_t length = 0;
    ASSERT_EQ(wvds_ecdsa_sign(session(), signature.data(), &length, signature.size(), key, message.data(),
                              message.size(), WVDS_SHA384, 0),
              WVDS_SUCCESS);
    const Octets raw = public_key(key);
    EXPECT_EQ(raw.size(), WVDS_ECDSA_PUBLIC_KEY_SIZE(algorithm));
    const wvds_public_key by_id = wvds_public_key_by_id(key);
    const wvds_public_key by_bytes = wvds_public_key_raw(algorithm, raw.data(), raw.size());
    for (const wvds_public_key* which : {&by_id, &by_bytes}) {
      EXPECT_EQ(
          wvds_ecdsa_verify(session(), which, signature.data(), length, message.data(), message.size(), WVDS_SHA384, 0),
          WVDS_SUCCESS);
      EXPECT_EQ(wvds_ecdsa_verify(session(), which, signature.data(), length, message.data(), message.size() - 1,
                                  WVDS_SHA384, 0),
                WVDS_SIGNATURE_INVALID);
      EXPECT_EQ(
          wvds_ecdsa_verify(session(), which, signature.data(), length, message.data(), message.size(), WVDS_SHA256, 0),
          WVDS_SIGNATURE_INVALID);
    }
  }
}

TEST_F(Operations, EcdsaSignsADigest) {
  const uint32_t key = generate(WVDS_ECDSA_P256, WVDS_USAGE_TLS_AND_CSR | WVDS_USAGE_VERIFY);
  const Octets digest(WVDS_HASH_SIZE(WVDS_SHA512), 5);
  Octets signature(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  size_t length = 0;
  ASSERT_EQ(wvds_ecdsa_sign(session(), signature.data(), &length, signature.size(), key, digest.data(), digest.size(),
                            WVDS_SHA512, WVDS_ECDSA_DIGEST),
            WVDS_SUCCESS);
  const wvds_public_key by_id = wvds_public_key_by_id(key);
  EXPECT_EQ(wvds_ecdsa_verify(session(), &by_id, signature.data(), length, digest.data(), digest.size(), WVDS_SHA512,
                              WVDS_ECDSA_DIGEST),
            WVDS_SUCCESS);
}

TEST_F(Operations, MlKemHandsOutTheSameSecretOnBothSides) {
  for (const wvds_algorithm algorithm : {WVDS_MLKEM_512, WVDS_MLKEM_768, WVDS_MLKEM_1024}) {
    uint32_t key = 0;
    Octets raw(WVDS_MLKEM_PUBLIC_KEY_SIZE(algorithm));
    size_t raw_length = 0;
    ASSERT_EQ(wvds_mlkem_keygen(session(), &key, raw.data(), &raw_length, raw.size(), algorithm, WVDS_LIFETIME_DEFAULT,
                                WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW),
              WVDS_SUCCESS);
    std::array<uint8_t, WVDS_MLKEM_SHARED_SECRET_SIZE> ours{};
    std::array<uint8_t, WVDS_MLKEM_SHARED_SECRET_SIZE> theirs{};
    Octets ciphertext(WVDS_MLKEM_CIPHERTEXT_SIZE(algorithm));
    size_t length = 0;
    const wvds_public_key to = wvds_public_key_raw(algorithm, raw.data(), raw.size());
    ASSERT_EQ(wvds_mlkem_encaps(session(), ours.data(), ciphertext.data(), &length, ciphertext.size(), &to),
              WVDS_SUCCESS);
    ASSERT_EQ(wvds_mlkem_decaps(session(), theirs.data(), key, ciphertext.data(), length), WVDS_SUCCESS);
    EXPECT_EQ(ours, theirs);
    uint32_t decrypts = 0;
    EXPECT_EQ(wvds_mlkem_decaps_to_key(session(), nullptr, &decrypts, key, ciphertext.data(), length, nullptr),
              WVDS_WRONG_KEY_USAGE);
  }
}

TEST_F(Operations, MlKemDerivesKeysThatStayInside) {
  const uint32_t kem = generate(WVDS_MLKEM_768);
  const wvds_public_key to = wvds_public_key_by_id(kem);
  wvds_derivation how{};
  how.flags = WVDS_DERIVE_DUPLEX;
  Octets ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  size_t length = 0;
  uint32_t sends = 0;
  uint32_t gets_back = 0;
  ASSERT_EQ(
      wvds_mlkem_encaps_to_key(session(), &sends, &gets_back, ciphertext.data(), &length, ciphertext.size(), &to, &how),
      WVDS_SUCCESS);
  uint32_t answers = 0;
  uint32_t receives = 0;
  ASSERT_EQ(wvds_mlkem_decaps_to_key(session(), &answers, &receives, kem, ciphertext.data(), length, &how),
            WVDS_SUCCESS);
  Octets opened;
  EXPECT_EQ(decrypt(receives, encrypt(sends, octets("there")), opened), WVDS_SUCCESS);
  EXPECT_EQ(opened, octets("there"));
  EXPECT_EQ(decrypt(gets_back, encrypt(answers, octets("back")), opened), WVDS_SUCCESS);
  EXPECT_EQ(opened, octets("back"));
  std::array<uint8_t, WVDS_MLKEM_SHARED_SECRET_SIZE> secret{};
  EXPECT_EQ(wvds_mlkem_decaps(session(), secret.data(), kem, ciphertext.data(), length), WVDS_WRONG_KEY_USAGE);
}

TEST_F(Operations, KeysAreImportedDescribedRotatedRetiredAndDeleted) {
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.label = "archive";
  wanted.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  const Octets raw(WVDS_AES_KEY_SIZE, 0x33);
  uint32_t key = 0;
  ASSERT_EQ(wvds_key_import(session(), &key, nullptr, nullptr, 0, &wanted, WVDS_KEY_FORMAT_RAW, raw.data(), raw.size()),
            WVDS_SUCCESS);
  const Octets sealed = encrypt(key, octets("old"));

  uint32_t version = 0;
  ASSERT_EQ(wvds_key_rotate(session(), &version, nullptr, nullptr, 0, key), WVDS_SUCCESS);
  wvds_key_details details{};
  ASSERT_EQ(wvds_key_info(session(), &details, key), WVDS_SUCCESS);
  EXPECT_STREQ(details.label, "archive");
  EXPECT_STREQ(details.owner, "tester");
  EXPECT_EQ(details.place, static_cast<uint32_t>(WVDS_PLACE_FILE));
  EXPECT_EQ(details.num_versions, 2u);
  EXPECT_EQ(details.versions[0].number, version);

  ASSERT_EQ(wvds_key_retire(session(), key), WVDS_SUCCESS);
  Octets opened;
  EXPECT_EQ(decrypt(key, sealed, opened), WVDS_SUCCESS);
  Octets out(64);
  size_t length = 0;
  EXPECT_EQ(wvds_aes_encrypt(session(), out.data(), &length, out.size(), key, nullptr, 0, nullptr, 0),
            WVDS_WRONG_KEY_USAGE);

  std::array<wvds_key_entry, WVDS_MAX_KEY_LIST> entries{};
  size_t count = 0;
  int more = 1;
  ASSERT_EQ(wvds_key_list(session(), entries.data(), &count, entries.size(), &more, 0), WVDS_SUCCESS);
  EXPECT_EQ(more, 0);
  EXPECT_TRUE(std::any_of(entries.begin(), entries.begin() + static_cast<long>(count),
                          [&](const wvds_key_entry& entry) { return entry.key_id == key; }));

  ASSERT_EQ(wvds_key_delete(session(), key, 0), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_info(session(), &details, key), WVDS_KEY_NOT_FOUND);
}

TEST_F(Operations, ServiceTellsOfItself) {
  EXPECT_EQ(wvds_ping(session()), WVDS_SUCCESS);
  Octets random(WVDS_MAX_RANDOM_SIZE);
  EXPECT_EQ(wvds_random(session(), random.data(), random.size()), WVDS_SUCCESS);
  EXPECT_GT(std::ranges::count_if(random, [](uint8_t byte) { return byte != 0; }), 60'000);
  wvds_service_state state{};
  ASSERT_EQ(wvds_status_get(session(), &state), WVDS_SUCCESS);
  EXPECT_EQ(state.fips_mode, static_cast<uint32_t>(WVDS_FIPS_MODE_REQUIRED));
  EXPECT_EQ(state.fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
  EXPECT_NE(std::strstr(state.provider, "FIPS"), nullptr);
  uint64_t epoch = 0;
  EXPECT_EQ(wvds_epoch(session(), &epoch), WVDS_SUCCESS);
  EXPECT_EQ(state.epoch, epoch) << "the channel and the service tell of the same start";
  wvds_capability_list able{};
  ASSERT_EQ(wvds_capabilities(session(), &able), WVDS_SUCCESS);
  EXPECT_EQ(able.num_operations, 24u);
  EXPECT_EQ(able.num_algorithms, 9u);
  EXPECT_EQ(able.num_slots, 8u);
}

TEST_F(Operations, RequestsOfOneSessionArePipelined) {
  const uint32_t key = generate(WVDS_AES_256_GCM);
  std::vector<wvds_call*> calls;
  for (int i = 0; i < 8; ++i) {
    wvds_call* call = nullptr;
    uint8_t* plaintext = nullptr;
    ASSERT_EQ(wvds_aes_encrypt_begin(session(), &call, &plaintext, nullptr, key, 100, 0), WVDS_SUCCESS);
    std::memset(plaintext, i, 100);
    ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
    calls.push_back(call);
  }
  wvds_call* ninth = nullptr;
  uint8_t* plaintext = nullptr;
  EXPECT_EQ(wvds_aes_encrypt_begin(session(), &ninth, &plaintext, nullptr, key, 100, 0), WVDS_BUSY);
  for (size_t i = calls.size(); i-- > 0;) {
    ASSERT_EQ(wvds_collect(calls[i], WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
    const uint8_t* sealed = nullptr;
    size_t length = 0;
    ASSERT_EQ(wvds_answer(calls[i], &sealed, &length), WVDS_SUCCESS);
    const Octets copy(sealed, sealed + length);
    EXPECT_EQ(wvds_call_release(calls[i]), WVDS_SUCCESS);
    Octets opened;
    EXPECT_EQ(decrypt(key, copy, opened), WVDS_SUCCESS);
    EXPECT_EQ(opened, Octets(100, static_cast<uint8_t>(i)));
  }
}

TEST_F(Operations, KeysOfASessionEndWithIt) {
  const uint32_t of_session = generate(WVDS_AES_256_GCM);
  const uint32_t of_service = generate(WVDS_AES_256_GCM, 0, WVDS_LIFETIME_VOLATILE);
  ASSERT_EQ(wvds_reconnect(session(), WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(session(), &details, of_session), WVDS_KEY_NOT_FOUND);
  EXPECT_EQ(wvds_key_info(session(), &details, of_service), WVDS_SUCCESS);
}

}  // namespace
}  // namespace wvds::test
