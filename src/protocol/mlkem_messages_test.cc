#include "protocol/mlkem_messages.h"

#include <gtest/gtest.h>

#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::copy_of;
using testing::encoded;
using testing::encoding_of;
using testing::hex;
using testing::join;
using testing::repeated;
using testing::status_of;
using testing::untrusted;

constexpr Algorithm kKems[] = {Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024};
const Buffer kKeygen = hex("21 02 60 00");

Buffer encaps_request(uint32_t key_id, Algorithm algorithm, const Buffer& key) {
  return encoded([&](MutableBytes out) { return encode_mlkem_encaps_request(key_id, algorithm, key, out); });
}

Buffer encaps_to_key_request(uint32_t key_id, Algorithm algorithm, const Buffer& key,
                             const MlKemToKeyOptions& options = {}) {
  return encoded(
      [&](MutableBytes out) { return encode_mlkem_encaps_to_key_request(key_id, algorithm, key, options, out); });
}

Buffer decaps_to_key_request(uint32_t key_id, const Buffer& ciphertext, const MlKemToKeyOptions& options = {}) {
  return encoded(
      [&](MutableBytes out) { return encode_mlkem_decaps_to_key_request(key_id, ciphertext, options, out); });
}

TEST(MlKemKeygenRequest, GivesItsFields) {
  const auto request = MlKemKeygenRequest::decode(untrusted(kKeygen));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->algorithm, Algorithm::kMlKem768);
  EXPECT_EQ(request->lifetime, Lifetime::kVolatile);
  EXPECT_EQ(request->usages, Usage::kEncapsulate | Usage::kDecapsRaw);
  EXPECT_EQ(encoding_of(*request), kKeygen);
}

TEST(MlKemKeygenRequest, HasOneLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<MlKemKeygenRequest>(kKeygen));
  EXPECT_TRUE(testing::refuses_one_byte_more<MlKemKeygenRequest>(kKeygen));
}

TEST(MlKemKeygenRequest, TakesMlKemOnly) {
  for (int value = 0; value < 256; ++value) {
    const bool is_kem = value >= 0x20 && value <= 0x22;
    EXPECT_EQ(status_of<MlKemKeygenRequest>(changed(kKeygen, 0, static_cast<uint8_t>(value))),
              is_kem ? Status::kSuccess : Status::kInvalidPayload)
        << value;
  }
}

TEST(MlKemKeygenRequest, RejectsUnknownLifetimes) {
  EXPECT_EQ(status_of<MlKemKeygenRequest>(changed(kKeygen, 1, 0)), Status::kSuccess);
  EXPECT_EQ(status_of<MlKemKeygenRequest>(changed(kKeygen, 1, 4)), Status::kInvalidPayload);
}

TEST(KeyCreatedAnswer, GivesItsFields) {
  const Buffer key = repeated(0xA1, 1184);
  const Buffer payload = encoded([&](MutableBytes out) { return encode_key_created_answer(11, key, out); });
  const auto answer = KeyCreatedAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->key_id, 11u);
  EXPECT_EQ(copy_of(answer->public_key), key);
}

TEST(KeyCreatedAnswer, RejectsKeyIdZeroAndShortPayloads) {
  EXPECT_EQ(status_of<KeyCreatedAnswer>(hex("00 00 00 00")), Status::kInvalidPayload);
  EXPECT_TRUE(testing::refuses_every_prefix<KeyCreatedAnswer>(hex("01 00 00 00")));
}

TEST(MlKemEncapsRequest, TakesRawKeysOfTheirExactSizeOnly) {
  for (const Algorithm algorithm : kKems) {
    const size_t size = algorithm_info(algorithm)->public_key;
    for (const size_t length : {size - 1, size, size + 1, size_t{0}}) {
      EXPECT_EQ(status_of<MlKemEncapsRequest>(encaps_request(0, algorithm, repeated(1, length))),
                length == size ? Status::kSuccess : Status::kInvalidPayload);
    }
  }
}

TEST(MlKemEncapsRequest, TakesAnIdWithoutKey) {
  const Buffer payload = encaps_request(11, Algorithm::kNone, {});
  const auto request = MlKemEncapsRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 11u);
  EXPECT_TRUE(request->encapsulation_key.empty());
}

TEST(MlKemEncapsRequest, RejectsAKeyIdTogetherWithAKey) {
  EXPECT_EQ(status_of<MlKemEncapsRequest>(encaps_request(11, Algorithm::kMlKem512, {})), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemEncapsRequest>(encaps_request(11, Algorithm::kNone, repeated(1, 800))),
            Status::kInvalidPayload);
}

TEST(MlKemEncapsRequest, RejectsOtherAlgorithmsAndReservedBytes) {
  EXPECT_EQ(status_of<MlKemEncapsRequest>(encaps_request(0, Algorithm::kMlDsa44, repeated(1, 1312))),
            Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemEncapsRequest>(encaps_request(0, Algorithm::kNone, {})), Status::kInvalidPayload);
  const Buffer payload = encaps_request(11, Algorithm::kNone, {});
  for (const size_t offset : {5u, 6u, 7u}) {
    EXPECT_EQ(status_of<MlKemEncapsRequest>(changed(payload, offset, 1)), Status::kInvalidPayload);
  }
  EXPECT_TRUE(testing::refuses_every_prefix<MlKemEncapsRequest>(payload));
}

TEST(MlKemEncapsAnswer, GivesSecretAndCiphertext) {
  const Buffer payload = join({repeated(0x5E, 32), repeated(0xB2, 768)});
  const auto answer = MlKemEncapsAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(copy_of(answer->shared_secret), repeated(0x5E, 32));
  EXPECT_EQ(copy_of(answer->ciphertext), repeated(0xB2, 768));
  EXPECT_EQ(status_of<MlKemEncapsAnswer>(repeated(0, 31)), Status::kInvalidPayload);
}

TEST(MlKemDecapsRequest, GivesItsFields) {
  const Buffer ciphertext = repeated(0xB2, 1088);
  const Buffer payload = encoded([&](MutableBytes out) { return encode_mlkem_decaps_request(11, ciphertext, out); });
  const auto request = MlKemDecapsRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 11u);
  EXPECT_EQ(copy_of(request->ciphertext), ciphertext);
  EXPECT_EQ(status_of<MlKemDecapsRequest>(hex("0B 00 00")), Status::kInvalidPayload);
}

TEST(MlKemEncapsToKeyRequest, GivesItsFields) {
  const Buffer context = hex("C0 C1 C2"), key = repeated(0xA1, 800);
  const MlKemToKeyOptions options{Lifetime::kPersistent, kDuplex | kReplayWindowOff, context};
  const Buffer payload = encaps_to_key_request(0, Algorithm::kMlKem512, key, options);
  const auto request = MlKemEncapsToKeyRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 0u);
  EXPECT_EQ(request->algorithm, Algorithm::kMlKem512);
  EXPECT_EQ(request->lifetime, Lifetime::kPersistent);
  EXPECT_EQ(request->flags, kDuplex | kReplayWindowOff);
  EXPECT_EQ(copy_of(request->context), context);
  EXPECT_EQ(copy_of(request->encapsulation_key), key);
}

TEST(MlKemEncapsToKeyRequest, RejectsWhatIsNotAllowed) {
  const Buffer payload = encaps_to_key_request(11, Algorithm::kNone, {});
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(payload), Status::kSuccess);
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(changed(payload, 4, 0x21)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(changed(payload, 5, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(changed(payload, 6, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(changed(payload, 7, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(changed(payload, 8, 1)), Status::kInvalidPayload);
  EXPECT_TRUE(testing::refuses_every_prefix<MlKemEncapsToKeyRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<MlKemEncapsToKeyRequest>(payload));
}

TEST(MlKemEncapsToKeyRequest, BoundsTheContext) {
  const Buffer longest = repeated(1, kMaxKdfContextSize);
  const Buffer payload = encaps_to_key_request(11, Algorithm::kNone, {}, {Lifetime::kDefault, 0, longest});
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(payload), Status::kSuccess);
  Buffer too_long = changed(payload, 8, 0x01);
  too_long.push_back(std::byte{1});
  EXPECT_EQ(status_of<MlKemEncapsToKeyRequest>(too_long), Status::kInvalidPayload);
}

TEST(MlKemDecapsToKeyRequest, GivesItsFields) {
  const Buffer context = hex("C0"), ciphertext = repeated(0xB2, 768);
  const Buffer payload = decaps_to_key_request(13, ciphertext, {Lifetime::kVolatile, kReplayWindowOff, context});
  const auto request = MlKemDecapsToKeyRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 13u);
  EXPECT_EQ(request->lifetime, Lifetime::kVolatile);
  EXPECT_EQ(request->flags, kReplayWindowOff);
  EXPECT_EQ(copy_of(request->context), context);
  EXPECT_EQ(copy_of(request->ciphertext), ciphertext);
}

TEST(MlKemDecapsToKeyRequest, RejectsWhatIsNotAllowed) {
  const Buffer payload = decaps_to_key_request(13, {});
  EXPECT_EQ(status_of<MlKemDecapsToKeyRequest>(changed(payload, 4, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemDecapsToKeyRequest>(changed(payload, 5, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MlKemDecapsToKeyRequest>(changed(payload, 6, 1)), Status::kInvalidPayload);
  EXPECT_TRUE(testing::refuses_every_prefix<MlKemDecapsToKeyRequest>(payload));
  const Buffer longest = repeated(1, kMaxKdfContextSize);
  Buffer too_long = changed(decaps_to_key_request(13, {}, {Lifetime::kDefault, 0, longest}), 6, 0x01);
  too_long.push_back(std::byte{1});
  EXPECT_EQ(status_of<MlKemDecapsToKeyRequest>(too_long), Status::kInvalidPayload);
}

TEST(ToKeyEncoders, RefuseAContextOver1024Bytes) {
  Buffer out(4096);
  const Buffer too_long = repeated(1, kMaxKdfContextSize + 1);
  const MlKemToKeyOptions options{Lifetime::kDefault, 0, too_long};
  EXPECT_EQ(encode_mlkem_encaps_to_key_request(1, Algorithm::kNone, {}, options, out).error().status,
            Status::kInvalidArgument);
  EXPECT_EQ(encode_mlkem_decaps_to_key_request(1, {}, options, out).error().status, Status::kInvalidArgument);
}

TEST(DerivedKeysAnswer, GivesItsFields) {
  const Buffer ciphertext = repeated(0xB2, 768);
  const Buffer payload = encoded([&](MutableBytes out) { return encode_derived_keys_answer(12, 0, ciphertext, out); });
  const auto answer = DerivedKeysAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->encrypt_key_id, 12u);
  EXPECT_EQ(answer->decrypt_key_id, 0u);
  EXPECT_EQ(copy_of(answer->ciphertext), ciphertext);
}

TEST(DerivedKeysAnswer, RejectsAnAnswerWithoutKeysAndShortOnes) {
  EXPECT_EQ(status_of<DerivedKeysAnswer>(repeated(0, 8)), Status::kInvalidPayload);
  EXPECT_TRUE(testing::refuses_every_prefix<DerivedKeysAnswer>(hex("01 00 00 00 02 00 00 00")));
}

TEST(MlKemEncoders, SayWhenTheBufferIsTooSmall) {
  Buffer out(100);
  const Buffer key = repeated(1, 800);
  EXPECT_EQ(encode_mlkem_encaps_request(0, Algorithm::kMlKem512, key, out).error().status, Status::kBufferTooSmall);
  EXPECT_EQ(encode_mlkem_decaps_request(1, key, out).error().status, Status::kBufferTooSmall);
  EXPECT_EQ(encode_key_created_answer(1, key, out).error().status, Status::kBufferTooSmall);
}

}  // namespace
}  // namespace wvds::protocol
