#include <gtest/gtest.h>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

using EcdsaSign = ClientTest;
using EcdsaVerify = ClientTest;

const Buffer kMessage = text("18.0 C");
const Buffer kDigest = repeated(0x77, WVDS_HASH_SIZE(WVDS_SHA384));
const Buffer kSignature = join({hex("30 45"), repeated(0xC3, 69)});
const Buffer kPublicKey = repeated(0xD4, WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_ECDSA_P256));

wvds_status sign(wvds_session* session, Room& room, const Buffer& message, wvds_hash hash, uint32_t flags = 0) {
  return wvds_ecdsa_sign(session, room.out(), room.len(), room.max(), 9, data(message), message.size(), hash, flags);
}

wvds_status verify(wvds_session* session, const wvds_public_key& key, const Buffer& signature, const Buffer& message,
                   wvds_hash hash = WVDS_SHA256, uint32_t flags = 0) {
  return wvds_ecdsa_verify(session, &key, data(signature), signature.size(), data(message), message.size(), hash,
                           flags);
}

TEST_F(EcdsaSign, SendsTheRequestAndCopiesTheSignature) {
  service.answers(kSignature);
  Room room(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, kMessage, WVDS_SHA512), WVDS_SUCCESS);
  EXPECT_EQ(room.filled(), kSignature);
  EXPECT_EQ(sent_type(), WVDS_OP_ECDSA_SIGN);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 03 00"), kMessage}));
}

TEST_F(EcdsaSign, SendsADigestOfTheHashsLength) {
  service.answers(kSignature);
  Room room(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, kDigest, WVDS_SHA384, WVDS_ECDSA_DIGEST), WVDS_SUCCESS);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 02 01"), kDigest}));
  service.seen.clear();
  EXPECT_EQ(sign(session, room, kDigest, WVDS_SHA256, WVDS_ECDSA_DIGEST), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(sign(session, room, {}, WVDS_SHA384, WVDS_ECDSA_DIGEST), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(EcdsaSign, SendsNothingWhenTheLongestSignatureWouldNotFit) {
  Room room(WVDS_ECDSA_MAX_SIGNATURE_SIZE - 1);
  EXPECT_EQ(sign(session, room, kMessage, WVDS_SHA256), WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(room.wiped());
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(EcdsaSign, RefusesUnknownFlagsAndHashes) {
  Room room(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  for (const uint32_t flags : {2u, 0x100u, 0x80000000u}) {
    EXPECT_EQ(sign(session, room, kMessage, WVDS_SHA256, flags), WVDS_INVALID_ARGUMENT) << flags;
  }
  for (const wvds_hash hash : {0u, 4u, 0x101u}) {
    EXPECT_EQ(sign(session, room, kMessage, hash), WVDS_INVALID_ARGUMENT) << hash;
  }
  EXPECT_EQ(wvds_ecdsa_sign(session, room.out(), room.len(), room.max(), 9, nullptr, 1, WVDS_SHA256, 0),
            WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(EcdsaSign, RefusesAMessageThatDoesNotFit) {
  service.answers(kSignature);
  Room room(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, repeated(1, 65530), WVDS_SHA256), WVDS_SUCCESS);
  EXPECT_EQ(sign(session, room, repeated(1, 65531), WVDS_SHA256), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(wvds_ecdsa_sign(session, room.out(), room.len(), room.max(), 9, data(kMessage), SIZE_MAX, WVDS_SHA256, 0),
            WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST_F(EcdsaSign, RefusesAnAnswerThatIsNoSignature) {
  Room room(200);
  for (const Buffer& none : {Buffer(), hex("30"), hex("31 45 C3*69"), hex("30 44 C3*69"), hex("30 67 C3*103")}) {
    service.answers(none);
    EXPECT_EQ(sign(session, room, kMessage, WVDS_SHA256), WVDS_PROTOCOL_ERROR) << none.size();
    EXPECT_TRUE(room.wiped());
  }
}

TEST_F(EcdsaVerify, SendsAStoredKeysId) {
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMessage), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_ECDSA_VERIFY);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 00 01 00 00 00 00 47 00"), kSignature, kMessage}));
}

TEST_F(EcdsaVerify, SendsARawKeyAndADigest) {
  const auto key = wvds_public_key_raw(WVDS_ECDSA_P256, data(kPublicKey), kPublicKey.size());
  EXPECT_EQ(verify(session, key, kSignature, kDigest, WVDS_SHA384, WVDS_ECDSA_DIGEST), WVDS_SUCCESS);
  EXPECT_EQ(sent(), join({hex("00 00 00 00 30 02 01 00 41 00 47 00"), kPublicKey, kSignature, kDigest}));
}

TEST_F(EcdsaVerify, FitsTheLargestMessageThatTheHeaderPromises) {
  const Buffer public_key = repeated(1, WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_ECDSA_P384));
  const Buffer signature = repeated(2, WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  const auto key = wvds_public_key_raw(WVDS_ECDSA_P384, data(public_key), public_key.size());
  EXPECT_EQ(verify(session, key, signature, repeated(4, WVDS_ECDSA_MAX_MESSAGE_SIZE)), WVDS_SUCCESS);
  EXPECT_EQ(verify(session, key, signature, repeated(4, WVDS_ECDSA_MAX_MESSAGE_SIZE + 1)), WVDS_PAYLOAD_TOO_LARGE);
}

TEST_F(EcdsaVerify, RefusesKeysThatAreNone) {
  const auto refused = [&](wvds_public_key key) {
    return verify(session, key, kSignature, kMessage) == WVDS_INVALID_ARGUMENT;
  };
  const Buffer of_mldsa = repeated(1, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_44));
  EXPECT_TRUE(refused(wvds_public_key_by_id(0)));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_ECDSA_P256, data(kPublicKey), kPublicKey.size() - 1)));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_ECDSA_P384, data(kPublicKey), kPublicKey.size())));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_ECDSA_P256, nullptr, kPublicKey.size())));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_AES_256_GCM, nullptr, 0)));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_MLDSA_44, data(of_mldsa), of_mldsa.size())));
  EXPECT_TRUE(refused(wvds_public_key_raw(0x1030, data(kPublicKey), kPublicKey.size())));
  wvds_public_key both = wvds_public_key_raw(WVDS_ECDSA_P256, data(kPublicKey), kPublicKey.size());
  both.key_id = 9;
  EXPECT_TRUE(refused(both));
  EXPECT_EQ(wvds_ecdsa_verify(session, nullptr, nullptr, 0, nullptr, 0, WVDS_SHA256, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(EcdsaVerify, LeavesShortSignaturesToTheServiceAndRefusesImpossibleOnes) {
  service.answers({}, Status::kInvalidPayload);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), {}, kMessage), WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(service.seen.size(), 1u);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), repeated(1, 105), kMessage), WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(service.seen.size(), 1u);
}

TEST_F(EcdsaVerify, HandsOnTheVerdict) {
  service.answers({}, Status::kSignatureInvalid);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMessage), WVDS_SIGNATURE_INVALID);
}

TEST_F(EcdsaVerify, RefusesHashesFlagsAndDigestsThatAreNone) {
  const wvds_public_key key = wvds_public_key_by_id(9);
  EXPECT_EQ(verify(session, key, kSignature, kMessage, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(verify(session, key, kSignature, kMessage, 4), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(verify(session, key, kSignature, kMessage, WVDS_SHA256, 2), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(verify(session, key, kSignature, kMessage, WVDS_SHA256, WVDS_ECDSA_DIGEST), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

}  // namespace
}  // namespace wvds::client::testing
