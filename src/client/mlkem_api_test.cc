#include <gtest/gtest.h>

#include <algorithm>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

using MlKem = ClientTest;
using MlKemToKey = ClientTest;

const Buffer kPublicKey = repeated(0xA1, WVDS_MLKEM_PUBLIC_KEY_SIZE(WVDS_MLKEM_768));
const Buffer kCiphertext = repeated(0xB2, WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768));
const Buffer kSecret = repeated(0x5E, WVDS_MLKEM_SHARED_SECRET_SIZE);
const wvds_public_key kRawKey = wvds_public_key_raw(WVDS_MLKEM_768, data(kPublicKey), kPublicKey.size());

TEST_F(MlKem, MakesAKey) {
  service.answers(join({hex("0B 00 00 00"), kPublicKey}));
  Room room(kPublicKey.size());
  uint32_t id = 0;
  EXPECT_EQ(wvds_mlkem_keygen(session, &id, room.out(), room.len(), room.max(), WVDS_MLKEM_768, WVDS_LIFETIME_VOLATILE,
                              WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW),
            WVDS_SUCCESS);
  EXPECT_EQ(id, 11u);
  EXPECT_EQ(room.filled(), kPublicKey);
  EXPECT_EQ(sent_type(), WVDS_OP_MLKEM_KEYGEN);
  EXPECT_EQ(sent(), hex("21 02 60 00"));
}

TEST_F(MlKem, MakesNoKeyForArgumentsOutOfRange) {
  Room room(WVDS_MAX_PUBLIC_KEY_SIZE);
  uint32_t id = 5;
  const auto keygen = [&](wvds_algorithm algorithm, wvds_lifetime lifetime, uint32_t usages, size_t max) {
    return wvds_mlkem_keygen(session, &id, room.out(), room.len(), max, algorithm, lifetime, usages);
  };
  EXPECT_EQ(keygen(WVDS_MLDSA_65, 0, 0, room.max()), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(keygen(0x23, 0, 0, room.max()), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(keygen(0x121, 0, 0, room.max()), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(keygen(WVDS_MLKEM_768, 4, 0, room.max()), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(keygen(WVDS_MLKEM_768, 0, 0x10000, room.max()), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(keygen(WVDS_MLKEM_768, 0, 0, 1183), WVDS_BUFFER_TOO_SMALL);
  EXPECT_EQ(id, 0u);
  EXPECT_EQ(wvds_mlkem_keygen(session, nullptr, room.out(), room.len(), room.max(), WVDS_MLKEM_768, 0, 0),
            WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlKem, EncapsulatesToARawKey) {
  service.answers(join({kSecret, kCiphertext}));
  Room secret(kSecret.size()), ciphertext(kCiphertext.size());
  EXPECT_EQ(wvds_mlkem_encaps(session, secret.out(), ciphertext.out(), ciphertext.len(), ciphertext.max(), &kRawKey),
            WVDS_SUCCESS);
  EXPECT_EQ(Buffer(kSecret), [&] {
    const Bytes bytes = std::as_bytes(std::span(secret.out(), kSecret.size()));
    return Buffer(bytes.begin(), bytes.end());
  }());
  EXPECT_EQ(ciphertext.filled(), kCiphertext);
  EXPECT_EQ(sent(), join({hex("00 00 00 00 21 00 00 00"), kPublicKey}));
}

TEST_F(MlKem, EncapsulatesToAStoredKey) {
  service.answers(join({kSecret, kCiphertext}));
  Room secret(kSecret.size()), ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  const wvds_public_key key = wvds_public_key_by_id(11);
  EXPECT_EQ(wvds_mlkem_encaps(session, secret.out(), ciphertext.out(), ciphertext.len(), ciphertext.max(), &key),
            WVDS_SUCCESS);
  EXPECT_EQ(sent(), hex("0B 00 00 00 00 00 00 00"));
  EXPECT_EQ(ciphertext.filled(), kCiphertext);
}

TEST_F(MlKem, HandsOutNoSecretWithoutItsCiphertext) {
  service.answers(join({kSecret, kCiphertext}));
  Room secret(kSecret.size()), ciphertext(kCiphertext.size() - 1);
  const wvds_public_key key = wvds_public_key_by_id(11);
  EXPECT_EQ(wvds_mlkem_encaps(session, secret.out(), ciphertext.out(), ciphertext.len(), ciphertext.max(), &key),
            WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(ciphertext.wiped());
  EXPECT_TRUE(std::ranges::all_of(std::span(secret.out(), kSecret.size()), [](uint8_t b) { return b == 0; }));
}

TEST_F(MlKem, RefusesEncapsulationKeysThatAreNone) {
  Room secret(kSecret.size()), ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  const Buffer signing_key = repeated(1, 1952);
  for (const wvds_public_key key :
       {wvds_public_key_by_id(0), wvds_public_key_raw(WVDS_MLKEM_768, data(kPublicKey), kPublicKey.size() + 1),
        wvds_public_key_raw(WVDS_MLDSA_65, data(signing_key), signing_key.size())}) {
    EXPECT_EQ(wvds_mlkem_encaps(session, secret.out(), ciphertext.out(), ciphertext.len(), ciphertext.max(), &key),
              WVDS_INVALID_ARGUMENT);
  }
  EXPECT_EQ(wvds_mlkem_encaps(session, nullptr, ciphertext.out(), ciphertext.len(), ciphertext.max(), &kRawKey),
            WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlKem, Decapsulates) {
  service.answers(kSecret);
  Room secret(kSecret.size());
  EXPECT_EQ(wvds_mlkem_decaps(session, secret.out(), 11, data(kCiphertext), kCiphertext.size()), WVDS_SUCCESS);
  EXPECT_EQ(secret.out()[31], 0x5E);
  EXPECT_EQ(sent(), join({hex("0B 00 00 00"), kCiphertext}));
}

TEST_F(MlKem, WipesTheSecretWhenDecapsulationFails) {
  service.answers({}, Status::kWrongKeyUsage);
  Room secret(kSecret.size());
  EXPECT_EQ(wvds_mlkem_decaps(session, secret.out(), 11, data(kCiphertext), kCiphertext.size()), WVDS_WRONG_KEY_USAGE);
  EXPECT_EQ(secret.out()[0], 0);
  EXPECT_EQ(secret.out()[31], 0);
}

TEST_F(MlKem, RefusesCiphertextsThatNoKeyHas) {
  Room secret(kSecret.size());
  const Buffer too_long = repeated(1, WVDS_MLKEM_MAX_CIPHERTEXT_SIZE + 1);
  uint32_t id = 0;
  EXPECT_EQ(wvds_mlkem_decaps(session, secret.out(), 11, data(too_long), too_long.size()), WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(wvds_mlkem_decaps_to_key(session, nullptr, &id, 11, data(too_long), SIZE_MAX, nullptr),
            WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(wvds_mlkem_decaps(session, secret.out(), 11, nullptr, 5), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlKemToKey, GivesTheSenderAKeyThatEncrypts) {
  service.answers(join({hex("0C 00 00 00 00 00 00 00"), kCiphertext}));
  Room ciphertext(kCiphertext.size());
  uint32_t encrypt_id = 0;
  EXPECT_EQ(wvds_mlkem_encaps_to_key(session, &encrypt_id, nullptr, ciphertext.out(), ciphertext.len(),
                                     ciphertext.max(), &kRawKey, nullptr),
            WVDS_SUCCESS);
  EXPECT_EQ(encrypt_id, 12u);
  EXPECT_EQ(ciphertext.filled(), kCiphertext);
  EXPECT_EQ(sent(), join({hex("00 00 00 00 21 00 00 00 00 00"), kPublicKey}));
}

TEST_F(MlKemToKey, GivesTheReceiverAKeyThatDecrypts) {
  service.answers(hex("00 00 00 00 0E 00 00 00"));
  const Buffer context = text("batch 1");
  const wvds_derivation derivation{WVDS_LIFETIME_VOLATILE, WVDS_DERIVE_REPLAY_WINDOW_OFF, data(context),
                                   context.size()};
  uint32_t decrypt_id = 0;
  EXPECT_EQ(
      wvds_mlkem_decaps_to_key(session, nullptr, &decrypt_id, 13, data(kCiphertext), kCiphertext.size(), &derivation),
      WVDS_SUCCESS);
  EXPECT_EQ(decrypt_id, 14u);
  EXPECT_EQ(sent(), join({hex("0D 00 00 00 02 02 07 00"), context, kCiphertext}));
}

TEST_F(MlKemToKey, GivesBothSidesBothKeysWhenDuplex) {
  wvds_derivation duplex{};
  duplex.flags = WVDS_DERIVE_DUPLEX;
  Room ciphertext(kCiphertext.size());
  uint32_t encrypt_id = 0, decrypt_id = 0;
  service.answers(join({hex("0C 00 00 00 0D 00 00 00"), kCiphertext}));
  EXPECT_EQ(wvds_mlkem_encaps_to_key(session, &encrypt_id, &decrypt_id, ciphertext.out(), ciphertext.len(),
                                     ciphertext.max(), &kRawKey, &duplex),
            WVDS_SUCCESS);
  EXPECT_EQ(encrypt_id, 12u);
  EXPECT_EQ(decrypt_id, 13u);
  service.answers(hex("0E 00 00 00 0F 00 00 00"));
  EXPECT_EQ(
      wvds_mlkem_decaps_to_key(session, &encrypt_id, &decrypt_id, 9, data(kCiphertext), kCiphertext.size(), &duplex),
      WVDS_SUCCESS);
  EXPECT_EQ(encrypt_id, 14u);
  EXPECT_EQ(decrypt_id, 15u);
}

TEST_F(MlKemToKey, DistrustsIdsThatDoNotMatchWhatWasAskedFor) {
  Room ciphertext(kCiphertext.size());
  uint32_t encrypt_id = 0, decrypt_id = 0;
  const auto encaps = [&](const wvds_derivation* derivation, const char* ids) {
    service.answers(join({hex(ids), kCiphertext}));
    return wvds_mlkem_encaps_to_key(session, &encrypt_id, &decrypt_id, ciphertext.out(), ciphertext.len(),
                                    ciphertext.max(), &kRawKey, derivation);
  };
  wvds_derivation duplex{};
  duplex.flags = WVDS_DERIVE_DUPLEX;
  EXPECT_EQ(encaps(nullptr, "0C 00 00 00 0D 00 00 00"), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(encaps(nullptr, "00 00 00 00 0D 00 00 00"), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(encaps(&duplex, "0C 00 00 00 00 00 00 00"), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(encaps(&duplex, "00 00 00 00 0D 00 00 00"), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(encrypt_id, 0u);
  EXPECT_EQ(decrypt_id, 0u);
  EXPECT_TRUE(ciphertext.wiped());
}

TEST_F(MlKemToKey, NeedsAPlaceForEachKeyItMakes) {
  Room ciphertext(kCiphertext.size());
  uint32_t id = 0;
  wvds_derivation duplex{};
  duplex.flags = WVDS_DERIVE_DUPLEX;
  EXPECT_EQ(wvds_mlkem_encaps_to_key(session, nullptr, &id, ciphertext.out(), ciphertext.len(), ciphertext.max(),
                                     &kRawKey, nullptr),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_mlkem_encaps_to_key(session, &id, nullptr, ciphertext.out(), ciphertext.len(), ciphertext.max(),
                                     &kRawKey, &duplex),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_mlkem_decaps_to_key(session, &id, nullptr, 9, data(kCiphertext), kCiphertext.size(), nullptr),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_mlkem_decaps_to_key(session, nullptr, &id, 9, data(kCiphertext), kCiphertext.size(), &duplex),
            WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlKemToKey, MakesNoKeyWhoseCiphertextMightNotFit) {
  Room ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE - 1);
  uint32_t id = 0;
  const wvds_public_key stored = wvds_public_key_by_id(11);
  EXPECT_EQ(wvds_mlkem_encaps_to_key(session, &id, nullptr, ciphertext.out(), ciphertext.len(), ciphertext.max(),
                                     &stored, nullptr),
            WVDS_BUFFER_TOO_SMALL);
  EXPECT_EQ(
      wvds_mlkem_encaps_to_key(session, &id, nullptr, ciphertext.out(), ciphertext.len(), 1087, &kRawKey, nullptr),
      WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlKemToKey, RefusesDerivationsOutOfRange) {
  uint32_t id = 0;
  const Buffer context = repeated(1, WVDS_MLKEM_MAX_CONTEXT_SIZE + 1);
  const auto refused = [&](wvds_derivation derivation) {
    return wvds_mlkem_decaps_to_key(session, nullptr, &id, 9, data(kCiphertext), kCiphertext.size(), &derivation) ==
           WVDS_INVALID_ARGUMENT;
  };
  EXPECT_TRUE(refused({4, 0, nullptr, 0}));
  EXPECT_TRUE(refused({0, 4, nullptr, 0}));
  EXPECT_TRUE(refused({0, 0x101, nullptr, 0}));
  EXPECT_TRUE(refused({0, 0, nullptr, 1}));
  EXPECT_TRUE(refused({0, 0, data(context), context.size()}));
  EXPECT_TRUE(service.seen.empty());
}

}  // namespace
}  // namespace wvds::client::testing
