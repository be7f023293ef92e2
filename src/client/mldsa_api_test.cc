#include <gtest/gtest.h>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

using MlDsaSign = ClientTest;
using MlDsaVerify = ClientTest;

const Buffer kMessage = text("18.0 C");
const Buffer kContext = text("batch");
const Buffer kMu = repeated(0x77, WVDS_MLDSA_MU_SIZE);
const Buffer kSignature = repeated(0xC3, WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65));
const Buffer kPublicKey = repeated(0xD4, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_65));

wvds_status sign(wvds_session* session, Room& room, const Buffer& message, const Buffer& context, uint32_t flags) {
  return wvds_mldsa_sign(session, room.out(), room.len(), room.max(), 9, data(message), message.size(), data(context),
                         context.size(), flags);
}

wvds_status verify(wvds_session* session, const wvds_public_key& key, const Buffer& signature, const Buffer& message,
                   const Buffer& context, uint32_t flags) {
  return wvds_mldsa_verify(session, &key, data(signature), signature.size(), data(message), message.size(),
                           data(context), context.size(), flags);
}

TEST_F(MlDsaSign, SendsTheRequestAndCopiesTheSignature) {
  service.answers(kSignature);
  Room room(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, kMessage, kContext, WVDS_MLDSA_DETERMINISTIC), WVDS_SUCCESS);
  EXPECT_EQ(room.filled(), kSignature);
  EXPECT_EQ(sent_type(), WVDS_OP_MLDSA_SIGN);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 01 05 00 00"), kContext, kMessage}));
}

TEST_F(MlDsaSign, TakesARoomOfTheKeysOwnSize) {
  service.answers(kSignature);
  Room room(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65));
  EXPECT_EQ(sign(session, room, kMessage, {}, 0), WVDS_SUCCESS);
  Room too_small(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65) - 1);
  EXPECT_EQ(sign(session, too_small, kMessage, {}, 0), WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(too_small.wiped());
}

TEST_F(MlDsaSign, SendsNothingWhenNoSignatureWouldFit) {
  Room room(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_44) - 1);
  EXPECT_EQ(sign(session, room, kMessage, {}, 0), WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlDsaSign, RefusesUnknownFlagsAndLongContexts) {
  Room room(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, kMessage, {}, 4), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(sign(session, room, kMessage, {}, 0x100), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(sign(session, room, kMessage, repeated(1, 256), 0), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlDsaSign, HoldsTheRulesOfMu) {
  service.answers(kSignature);
  Room room(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, kMu, {}, WVDS_MLDSA_EXTERNAL_MU), WVDS_SUCCESS);
  EXPECT_EQ(sign(session, room, kMessage, {}, WVDS_MLDSA_EXTERNAL_MU), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(sign(session, room, kMu, kContext, WVDS_MLDSA_EXTERNAL_MU), WVDS_INVALID_ARGUMENT);
}

TEST_F(MlDsaSign, RefusesAMessageThatDoesNotFit) {
  service.answers(kSignature);
  Room room(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  EXPECT_EQ(sign(session, room, repeated(1, 65528), {}, 0), WVDS_SUCCESS);
  EXPECT_EQ(sign(session, room, repeated(1, 65529), {}, 0), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(sign(session, room, repeated(1, 65524), kContext, 0), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(wvds_mldsa_sign(session, room.out(), room.len(), room.max(), 9, data(kMessage), SIZE_MAX, nullptr, 0, 0),
            WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST_F(MlDsaVerify, SendsAStoredKeysId) {
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMessage, kContext, 0), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_MLDSA_VERIFY);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 00 00 05 00 00 00 ED 0C"), kSignature, kContext, kMessage}));
}

TEST_F(MlDsaVerify, SendsARawKey) {
  const auto key = wvds_public_key_raw(WVDS_MLDSA_65, data(kPublicKey), kPublicKey.size());
  EXPECT_EQ(verify(session, key, kSignature, kMessage, {}, 0), WVDS_SUCCESS);
  EXPECT_EQ(sent(), join({hex("00 00 00 00 11 00 00 00 A0 07 ED 0C"), kPublicKey, kSignature, kMessage}));
}

TEST_F(MlDsaVerify, FitsTheLargestMessageThatTheHeaderPromises) {
  const Buffer public_key = repeated(1, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_87));
  const Buffer signature = repeated(2, WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_87));
  const Buffer context = repeated(3, WVDS_MLDSA_MAX_CONTEXT_SIZE);
  const auto key = wvds_public_key_raw(WVDS_MLDSA_87, data(public_key), public_key.size());
  EXPECT_EQ(verify(session, key, signature, repeated(4, WVDS_MLDSA_MAX_MESSAGE_SIZE), context, 0), WVDS_SUCCESS);
  EXPECT_EQ(verify(session, key, signature, repeated(4, WVDS_MLDSA_MAX_MESSAGE_SIZE + 1), context, 0),
            WVDS_PAYLOAD_TOO_LARGE);
}

TEST_F(MlDsaVerify, RefusesKeysThatAreNone) {
  const auto refused = [&](wvds_public_key key) {
    return verify(session, key, kSignature, kMessage, {}, 0) == WVDS_INVALID_ARGUMENT;
  };
  EXPECT_TRUE(refused(wvds_public_key_by_id(0)));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_MLDSA_65, data(kPublicKey), kPublicKey.size() - 1)));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_MLDSA_65, nullptr, kPublicKey.size())));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_AES_256_GCM, nullptr, 0)));
  EXPECT_TRUE(refused(wvds_public_key_raw(WVDS_MLKEM_768, data(kPublicKey), 1184)));
  EXPECT_TRUE(refused(wvds_public_key_raw(0x1011, data(kPublicKey), kPublicKey.size())));
  wvds_public_key both = wvds_public_key_raw(WVDS_MLDSA_65, data(kPublicKey), kPublicKey.size());
  both.key_id = 9;
  EXPECT_TRUE(refused(both));
  EXPECT_EQ(wvds_mldsa_verify(session, nullptr, nullptr, 0, nullptr, 0, nullptr, 0, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(MlDsaVerify, LeavesShortSignaturesToTheServiceAndRefusesImpossibleOnes) {
  service.answers({}, Status::kInvalidPayload);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), repeated(1, 10), kMessage, {}, 0), WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(service.seen.size(), 1u);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), repeated(1, 4628), kMessage, {}, 0), WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(service.seen.size(), 1u);
}

TEST_F(MlDsaVerify, HandsOnTheVerdict) {
  service.answers({}, Status::kSignatureInvalid);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMessage, {}, 0), WVDS_SIGNATURE_INVALID);
}

TEST_F(MlDsaVerify, RefusesFlagsOfSigning) {
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMessage, {}, WVDS_MLDSA_DETERMINISTIC),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMessage, {}, WVDS_MLDSA_EXTERNAL_MU),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(verify(session, wvds_public_key_by_id(9), kSignature, kMu, {}, WVDS_MLDSA_EXTERNAL_MU), WVDS_SUCCESS);
}

}  // namespace
}  // namespace wvds::client::testing
