#include <gtest/gtest.h>

#include <algorithm>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

using AesEncrypt = ClientTest;
using AesDecrypt = ClientTest;

const Buffer kPlaintext = text("21.5 C");
const Buffer kAad = text("meter-42");
const Buffer kSealed = repeated(0x5A, WVDS_AES_ENCRYPT_OUTPUT_SIZE(6));

TEST_F(AesEncrypt, SendsTheRequestAndCopiesTheAnswer) {
  service.answers(kSealed);
  Room room(kSealed.size() + 5);
  EXPECT_EQ(wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, data(kPlaintext), kPlaintext.size(),
                             data(kAad), kAad.size()),
            WVDS_SUCCESS);
  EXPECT_EQ(room.filled(), kSealed);
  EXPECT_EQ(sent_type(), WVDS_OP_AES_ENCRYPT);
  EXPECT_EQ(sent(), join({hex("07 00 00 00 08 00"), kAad, kPlaintext}));
}

TEST_F(AesEncrypt, TakesEmptyPlaintextAndAad) {
  service.answers(repeated(1, 28));
  Room room(28);
  EXPECT_EQ(wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, nullptr, 0, nullptr, 0), WVDS_SUCCESS);
  EXPECT_EQ(room.reported(), 28u);
}

TEST_F(AesEncrypt, RefusesNullWithALength) {
  Room room(100);
  EXPECT_EQ(wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, nullptr, 1, nullptr, 0),
            WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(room.wiped());
  EXPECT_EQ(wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, nullptr, 0, nullptr, 1),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_aes_encrypt(session, room.out(), nullptr, room.max(), 7, nullptr, 0, nullptr, 0),
            WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_aes_encrypt(session, nullptr, room.len(), room.max(), 7, nullptr, 0, nullptr, 0),
            WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(AesEncrypt, ChecksTheRoomBeforeItSends) {
  Room room(kSealed.size() - 1);
  EXPECT_EQ(
      wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, data(kPlaintext), kPlaintext.size(), nullptr, 0),
      WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(room.wiped());
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(AesEncrypt, SendsWhatCanBeDecryptedAgainInOneRequestAndNoMore) {
  const Buffer largest = repeated(1, WVDS_AES_MAX_SIZE);
  service.answers(repeated(2, WVDS_AES_ENCRYPT_OUTPUT_SIZE(largest.size())));
  Room room(WVDS_MAX_ANSWER_PAYLOAD);
  EXPECT_EQ(wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, data(largest), largest.size(), nullptr, 0),
            WVDS_SUCCESS);
  const Buffer sealed = room.filled();
  service.answers(largest);
  Room opened(largest.size());
  EXPECT_EQ(
      wvds_aes_decrypt(session, opened.out(), opened.len(), opened.max(), 7, data(sealed), sealed.size(), nullptr, 0),
      WVDS_SUCCESS);
  EXPECT_EQ(sent().size(), WVDS_MAX_REQUEST_PAYLOAD);

  const Buffer one_more = repeated(1, WVDS_AES_MAX_SIZE + 1);
  EXPECT_EQ(
      wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, data(one_more), one_more.size(), nullptr, 0),
      WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(
      wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, data(largest), largest.size(), data(kAad), 1),
      WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_TRUE(room.wiped());
  EXPECT_EQ(service.seen.size(), 2u);
}

TEST_F(AesEncrypt, SurvivesLengthsThatWouldOverflow) {
  Room room(100);
  const auto encrypt = [&](size_t plaintext_len, size_t aad_len) {
    return wvds_aes_encrypt(session, room.out(), room.len(), room.max(), 7, data(kPlaintext), plaintext_len, data(kAad),
                            aad_len);
  };
  EXPECT_EQ(encrypt(SIZE_MAX, 0), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(encrypt(0, SIZE_MAX), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(encrypt(SIZE_MAX, SIZE_MAX), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(encrypt(SIZE_MAX - 27, 1), WVDS_PAYLOAD_TOO_LARGE);
}

TEST_F(AesEncrypt, MayWriteOverItsInput) {
  service.answer = [](const Seen& request) {
    EXPECT_EQ(Buffer(request.payload.begin() + 6, request.payload.end()), kPlaintext);
    return frame(kSealed);
  };
  std::vector<uint8_t> both(kSealed.size());
  std::copy_n(data(kPlaintext), kPlaintext.size(), both.begin());
  size_t length = 0;
  EXPECT_EQ(wvds_aes_encrypt(session, both.data(), &length, both.size(), 7, both.data(), kPlaintext.size(), nullptr, 0),
            WVDS_SUCCESS);
  EXPECT_EQ(length, kSealed.size());
  EXPECT_EQ(both[0], 0x5A);
}

TEST_F(AesDecrypt, SendsTheRequestAndCopiesTheAnswer) {
  service.answers(kPlaintext);
  Room room(6);
  EXPECT_EQ(wvds_aes_decrypt(session, room.out(), room.len(), room.max(), 7, data(kSealed), kSealed.size(), data(kAad),
                             kAad.size()),
            WVDS_SUCCESS);
  EXPECT_EQ(room.filled(), kPlaintext);
  EXPECT_EQ(sent_type(), WVDS_OP_AES_DECRYPT);
  EXPECT_EQ(sent(), join({hex("07 00 00 00 08 00"), kAad, kSealed}));
}

TEST_F(AesDecrypt, OpensAnEmptyPlaintextWithoutABuffer) {
  const Buffer sealed = repeated(1, 28);
  size_t length = 99;
  EXPECT_EQ(wvds_aes_decrypt(session, nullptr, &length, 0, 7, data(sealed), sealed.size(), nullptr, 0), WVDS_SUCCESS);
  EXPECT_EQ(length, 0u);
}

TEST_F(AesDecrypt, RefusesWhatHasNoRoomForNonceAndTag) {
  Room room(100);
  EXPECT_EQ(wvds_aes_decrypt(session, room.out(), room.len(), room.max(), 7, data(kSealed), 27, nullptr, 0),
            WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(wvds_aes_decrypt(session, room.out(), room.len(), room.max(), 7, nullptr, 0, nullptr, 0),
            WVDS_INVALID_PAYLOAD);
  EXPECT_TRUE(room.wiped());
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(AesDecrypt, RefusesWhatDoesNotFitOneRequest) {
  const Buffer sealed = repeated(1, WVDS_AES_ENCRYPT_OUTPUT_SIZE(WVDS_AES_MAX_SIZE) + 1);
  Room room(70000);
  EXPECT_EQ(wvds_aes_decrypt(session, room.out(), room.len(), room.max(), 7, data(sealed), sealed.size(), nullptr, 0),
            WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(
      wvds_aes_decrypt(session, room.out(), room.len(), room.max(), 7, data(sealed), sealed.size() - 1, data(kAad), 1),
      WVDS_PAYLOAD_TOO_LARGE);
}

TEST_F(AesDecrypt, LeavesNothingInTheBufferWhenItFails) {
  service.answers({}, Status::kDecryptionFailed);
  Room room(6);
  EXPECT_EQ(wvds_aes_decrypt(session, room.out(), room.len(), room.max(), 7, data(kSealed), kSealed.size(), nullptr, 0),
            WVDS_DECRYPTION_FAILED);
  EXPECT_TRUE(room.wiped());
}

TEST(AesSizes, ComeFromMacrosThatDoNotWrap) {
  EXPECT_EQ(WVDS_AES_ENCRYPT_OUTPUT_SIZE(size_t{0}), 28u);
  EXPECT_EQ(WVDS_AES_DECRYPT_OUTPUT_SIZE(size_t{28}), 0u);
  EXPECT_EQ(WVDS_AES_DECRYPT_OUTPUT_SIZE(size_t{27}), 0u);
}

}  // namespace
}  // namespace wvds::client::testing
