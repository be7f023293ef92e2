#include "protocol/mldsa_messages.h"

#include <gtest/gtest.h>

#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::copy_of;
using testing::hex;
using testing::join;
using testing::repeated;
using testing::status_of;
using testing::untrusted;

const Buffer kMlDsaSign = hex("09 00 00 00  01 02 00 00  C0 C1  50 51 52");
const Buffer kSignMu = join({hex("09 00 00 00  02 00 00 00"), repeated(0x77, 64)});

Buffer verify_request(const MlDsaVerifyHead& head, const Buffer& message) {
  return join({testing::encoded([&](MutableBytes out) { return encode_mldsa_verify_head(head, out); }), message});
}

MlDsaVerifyHead mldsa_raw_key_head(Algorithm algorithm, const Buffer& public_key, const Buffer& signature) {
  MlDsaVerifyHead head;
  head.algorithm = algorithm;
  head.public_key = public_key;
  head.signature = signature;
  return head;
}

TEST(MlDsaSignRequest, GivesItsFields) {
  const auto request = MlDsaSignRequest::decode(untrusted(kMlDsaSign));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 9u);
  EXPECT_EQ(request->flags, kMlDsaDeterministic);
  EXPECT_EQ(copy_of(request->context), hex("C0 C1"));
  EXPECT_EQ(copy_of(request->message), hex("50 51 52"));
}

TEST(MlDsaSignRequest, TakesEmptyContextAndMessage) {
  EXPECT_EQ(status_of<MlDsaSignRequest>(hex("09 00 00 00  00 00 00 00")), Status::kSuccess);
}

TEST(MlDsaSignRequest, RejectsUnknownFlags) {
  for (int bit = 2; bit < 8; ++bit) {
    EXPECT_EQ(status_of<MlDsaSignRequest>(changed(kMlDsaSign, 4, static_cast<uint8_t>(1 << bit))),
              Status::kInvalidPayload);
  }
}

TEST(MlDsaSignRequest, RejectsNonZeroReservedBytes) {
  EXPECT_EQ(status_of<MlDsaSignRequest>(changed(kMlDsaSign, 6, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlDsaSignRequest>(changed(kMlDsaSign, 7, 1)), Status::kInvalidPayload);
}

TEST(MlDsaSignRequest, RejectsContextLongerThanThePayload) {
  EXPECT_EQ(status_of<MlDsaSignRequest>(changed(kMlDsaSign, 5, 5)), Status::kSuccess);
  EXPECT_EQ(status_of<MlDsaSignRequest>(changed(kMlDsaSign, 5, 6)), Status::kInvalidPayload);
}

TEST(MlDsaSignRequest, RejectsAPayloadShorterThanItsFixedPart) {
  for (size_t length = 0; length < kMlDsaSignFixedSize; ++length) {
    EXPECT_EQ(status_of<MlDsaSignRequest>(repeated(0, length)), Status::kInvalidPayload);
  }
}

TEST(MlDsaSignRequest, TakesAMuOf64BytesWithoutContext) {
  EXPECT_EQ(status_of<MlDsaSignRequest>(kSignMu), Status::kSuccess);
  EXPECT_EQ(status_of<MlDsaSignRequest>(changed(kSignMu, 4, kMlDsaExternalMu | kMlDsaDeterministic)), Status::kSuccess);
}

TEST(MlDsaSignRequest, RejectsAMuOfAnotherLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<MlDsaSignRequest>(kSignMu));
  EXPECT_TRUE(testing::refuses_one_byte_more<MlDsaSignRequest>(kSignMu));
}

TEST(MlDsaSignRequest, RejectsAMuWithContext) {
  const Buffer with_context = join({changed(kSignMu, 5, 1), hex("AA")});
  EXPECT_EQ(status_of<MlDsaSignRequest>(with_context), Status::kInvalidPayload);
}

TEST(MlDsaSignHead, IsWhatTheDecoderReads) {
  const Buffer context = hex("C0 C1");
  const Buffer head = testing::encoded([&](MutableBytes out) { return encode_mldsa_sign_head(9, 1, context, out); });
  EXPECT_EQ(join({head, hex("50 51 52")}), kMlDsaSign);
}

TEST(MlDsaSignHead, RefusesAContextOver255Bytes) {
  Buffer out(1024);
  EXPECT_TRUE(encode_mldsa_sign_head(9, 0, repeated(1, 255), out));
  EXPECT_EQ(encode_mldsa_sign_head(9, 0, repeated(1, 256), out).error().status, Status::kInvalidArgument);
}

TEST(MlDsaVerifyRequest, GivesTheFieldsOfAStoredKey) {
  MlDsaVerifyHead head;
  const Buffer signature = repeated(0x5A, 3309), context = hex("C0");
  head.key_id = 9;
  head.signature = signature;
  head.context = context;
  const Buffer payload = verify_request(head, hex("50 51"));
  const auto request = MlDsaVerifyRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 9u);
  EXPECT_EQ(request->algorithm, Algorithm::kNone);
  EXPECT_TRUE(request->public_key.empty());
  EXPECT_EQ(copy_of(request->signature), signature);
  EXPECT_EQ(copy_of(request->context), context);
  EXPECT_EQ(copy_of(request->message), hex("50 51"));
}

TEST(MlDsaVerifyRequest, TakesRawKeysOfTheirExactSizeOnly) {
  for (const Algorithm algorithm : {Algorithm::kMlDsa44, Algorithm::kMlDsa65, Algorithm::kMlDsa87}) {
    const size_t size = algorithm_info(algorithm)->public_key;
    for (const size_t length : {size - 1, size, size + 1, size_t{0}}) {
      const Buffer payload = verify_request(mldsa_raw_key_head(algorithm, repeated(1, length), repeated(2, 10)), {});
      EXPECT_EQ(status_of<MlDsaVerifyRequest>(payload), length == size ? Status::kSuccess : Status::kInvalidPayload);
    }
  }
}

TEST(MlDsaVerifyRequest, RejectsRawKeysOfOtherAlgorithms) {
  for (const Algorithm algorithm : {Algorithm::kNone, Algorithm::kAes256Gcm, Algorithm::kMlKem768,
                                    static_cast<Algorithm>(0x13), static_cast<Algorithm>(0xff)}) {
    const AlgorithmInfo* info = algorithm_info(algorithm);
    const Buffer key = repeated(1, info != nullptr ? info->public_key : 0);
    EXPECT_EQ(status_of<MlDsaVerifyRequest>(verify_request(mldsa_raw_key_head(algorithm, key, {}), {})),
              Status::kInvalidPayload);
  }
}

TEST(MlDsaVerifyRequest, RejectsAKeyIdTogetherWithAKey) {
  MlDsaVerifyHead both = mldsa_raw_key_head(Algorithm::kMlDsa44, {}, {});
  both.key_id = 9;
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(verify_request(both, {})), Status::kInvalidPayload);
  const Buffer key = repeated(1, 1312);
  both.algorithm = Algorithm::kNone;
  both.public_key = key;
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(verify_request(both, {})), Status::kInvalidPayload);
}

TEST(MlDsaVerifyRequest, RejectsUnknownFlagsAndReservedBytes) {
  MlDsaVerifyHead head;
  head.key_id = 9;
  const Buffer payload = verify_request(head, {});
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(payload), Status::kSuccess);
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(changed(payload, 5, kMlDsaDeterministic)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(changed(payload, 5, 0x80)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(changed(payload, 7, 1)), Status::kInvalidPayload);
}

TEST(MlDsaVerifyRequest, HoldsTheRulesOfMu) {
  MlDsaVerifyHead head;
  head.key_id = 9;
  head.flags = kMlDsaExternalMu;
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(verify_request(head, repeated(1, 64))), Status::kSuccess);
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(verify_request(head, repeated(1, 63))), Status::kInvalidPayload);
  const Buffer context = hex("C0");
  head.context = context;
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(verify_request(head, repeated(1, 64))), Status::kInvalidPayload);
}

TEST(MlDsaVerifyRequest, RejectsLengthsThatLie) {
  const Buffer key = repeated(1, 1312), signature = repeated(2, 20);
  const Buffer payload = verify_request(mldsa_raw_key_head(Algorithm::kMlDsa44, key, signature), hex("50"));
  for (const size_t offset : {8u, 9u}) {
    EXPECT_EQ(status_of<MlDsaVerifyRequest>(changed(payload, offset, 0xff)), Status::kInvalidPayload);
  }
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(changed(payload, 11, 0xff)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlDsaVerifyRequest>(changed(payload, 6, 0xff)), Status::kInvalidPayload);
  EXPECT_TRUE(testing::refuses_every_prefix<MlDsaVerifyRequest>(Buffer(payload.begin(), payload.end() - 1)));
}

TEST(MlDsaVerifyHead, RefusesWhatItsLengthFieldsCannotHold) {
  Buffer out(1 << 20);
  const Buffer long_key = repeated(1, 65536), long_context = repeated(1, 256);
  MlDsaVerifyHead head;
  head.public_key = long_key;
  EXPECT_EQ(encode_mldsa_verify_head(head, out).error().status, Status::kInvalidArgument);
  head.public_key = {};
  head.signature = long_key;
  EXPECT_EQ(encode_mldsa_verify_head(head, out).error().status, Status::kInvalidArgument);
  head.signature = {};
  head.context = long_context;
  EXPECT_EQ(encode_mldsa_verify_head(head, out).error().status, Status::kInvalidArgument);
}

}  // namespace
}  // namespace wvds::protocol
