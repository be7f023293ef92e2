#include "protocol/aes_messages.h"

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

const Buffer kEncrypt = hex("07 00 00 00  03 00  A0 A1 A2  50 51");
const Buffer kSealed = join({repeated(0x11, 12), hex("C0 C1"), repeated(0x22, 16)});
const Buffer kDecrypt = join({hex("07 00 00 00  03 00  A0 A1 A2"), kSealed});

TEST(AesEncryptRequest, GivesItsFields) {
  const auto request = AesEncryptRequest::decode(untrusted(kEncrypt));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 7u);
  EXPECT_EQ(copy_of(request->aad), hex("A0 A1 A2"));
  EXPECT_EQ(copy_of(request->plaintext), hex("50 51"));
}

TEST(AesEncryptRequest, TakesEmptyAadAndEmptyPlaintext) {
  const Buffer payload = hex("07 00 00 00  00 00");
  const auto request = AesEncryptRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->aad.empty());
  EXPECT_TRUE(request->plaintext.empty());
}

TEST(AesEncryptRequest, RejectsAPayloadShorterThanItsFixedPart) {
  for (size_t length = 0; length < kAesRequestFixedSize; ++length) {
    EXPECT_EQ(status_of<AesEncryptRequest>(repeated(0, length)), Status::kInvalidPayload) << length;
  }
}

TEST(AesEncryptRequest, RejectsAadLongerThanThePayload) {
  EXPECT_EQ(status_of<AesEncryptRequest>(changed(kEncrypt, 4, 5)), Status::kSuccess);
  EXPECT_EQ(status_of<AesEncryptRequest>(changed(kEncrypt, 4, 6)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<AesEncryptRequest>(changed(kEncrypt, 5, 0xff)), Status::kInvalidPayload);
}

TEST(AesRequestHead, IsWhatTheDecodersRead) {
  const Buffer head = testing::encoded([](MutableBytes out) { return encode_aes_request_head(7, 3, out); });
  EXPECT_EQ(join({head, hex("A0 A1 A2 50 51")}), kEncrypt);
}

TEST(AesRequestHead, RefusesAadThatItsLengthFieldCannotHold) {
  Buffer out(16);
  EXPECT_TRUE(encode_aes_request_head(7, 65535, out));
  EXPECT_EQ(encode_aes_request_head(7, 65536, out).error().status, Status::kInvalidArgument);
}

TEST(AesEncryptAnswer, GivesNonceCiphertextAndTag) {
  const auto answer = AesEncryptAnswer::decode(untrusted(kSealed));
  ASSERT_TRUE(answer);
  EXPECT_EQ(copy_of(answer->nonce), repeated(0x11, 12));
  EXPECT_EQ(copy_of(answer->ciphertext), hex("C0 C1"));
  EXPECT_EQ(copy_of(answer->tag), repeated(0x22, 16));
}

TEST(AesEncryptAnswer, RejectsLessThanNonceAndTag) {
  EXPECT_EQ(status_of<AesEncryptAnswer>(repeated(0, 28)), Status::kSuccess);
  EXPECT_EQ(status_of<AesEncryptAnswer>(repeated(0, 27)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<AesEncryptAnswer>({}), Status::kInvalidPayload);
}

TEST(AesDecryptRequest, GivesItsFields) {
  const auto request = AesDecryptRequest::decode(untrusted(kDecrypt));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 7u);
  EXPECT_EQ(copy_of(request->aad), hex("A0 A1 A2"));
  EXPECT_EQ(copy_of(request->nonce), repeated(0x11, 12));
  EXPECT_EQ(copy_of(request->ciphertext), hex("C0 C1"));
  EXPECT_EQ(copy_of(request->tag), repeated(0x22, 16));
}

TEST(AesDecryptRequest, RejectsWhatHasNoRoomForNonceAndTag) {
  const Buffer empty_ciphertext = join({hex("07 00 00 00 00 00"), repeated(1, 28)});
  EXPECT_EQ(status_of<AesDecryptRequest>(empty_ciphertext), Status::kSuccess);
  EXPECT_TRUE(testing::refuses_every_prefix<AesDecryptRequest>(empty_ciphertext));
}

TEST(AesDecryptRequest, RejectsAadThatEatsNonceOrTag) {
  EXPECT_EQ(status_of<AesDecryptRequest>(changed(kDecrypt, 4, 5)), Status::kSuccess);
  EXPECT_EQ(status_of<AesDecryptRequest>(changed(kDecrypt, 4, 6)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<AesDecryptRequest>(changed(kDecrypt, 4, 0xff)), Status::kInvalidPayload);
}

}  // namespace
}  // namespace wvds::protocol
