#include <gtest/gtest.h>

#include <algorithm>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

// Call is the life of one wvds_call: begin, fill, submit, collect, answer, release.
class Call : public ClientTest {
 protected:
  wvds_call* begin_ping() {
    wvds_call* call = nullptr;
    uint8_t* payload = nullptr;
    EXPECT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0), WVDS_SUCCESS);
    return call;
  }

  Buffer answer_of(wvds_call* call) {
    const uint8_t* out = nullptr;
    size_t length = 0;
    EXPECT_EQ(wvds_answer(call, &out, &length), WVDS_SUCCESS);
    const Bytes bytes = std::as_bytes(std::span(out, length));
    return {bytes.begin(), bytes.end()};
  }
};

void fill(uint8_t* place, const Buffer& bytes) { std::copy_n(data(bytes), bytes.size(), place); }

const Buffer kPlaintext = text("21.5 C");
const Buffer kAad = text("meter-42");
const Buffer kSealed = repeated(0x5A, 34);

TEST_F(Call, EncryptsInPlace) {
  service.answers(kSealed);
  wvds_call* call = nullptr;
  uint8_t *plaintext = nullptr, *aad = nullptr;
  ASSERT_EQ(wvds_aes_encrypt_begin(session, &call, &plaintext, &aad, 7, kPlaintext.size(), kAad.size()), WVDS_SUCCESS);
  fill(plaintext, kPlaintext);
  fill(aad, kAad);
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  ASSERT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(answer_of(call), kSealed);
  EXPECT_EQ(sent(), join({hex("07 00 00 00 08 00"), kAad, kPlaintext}));
  EXPECT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST_F(Call, DecryptsInPlace) {
  service.answers(kPlaintext);
  wvds_call* call = nullptr;
  uint8_t* sealed = nullptr;
  ASSERT_EQ(wvds_aes_decrypt_begin(session, &call, &sealed, nullptr, 7, kSealed.size(), 0), WVDS_SUCCESS);
  fill(sealed, kSealed);
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  ASSERT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(answer_of(call), kPlaintext);
  EXPECT_EQ(sent(), join({hex("07 00 00 00 00 00"), kSealed}));
}

TEST_F(Call, SignsAndVerifiesInPlace) {
  const Buffer signature = repeated(0xC3, 2420), context = text("c");
  service.answers(signature);
  wvds_call* call = nullptr;
  uint8_t* message = nullptr;
  ASSERT_EQ(wvds_mldsa_sign_begin(session, &call, &message, 9, 6, data(context), 1, 0), WVDS_SUCCESS);
  fill(message, kPlaintext);
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  ASSERT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(answer_of(call), signature);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 00 01 00 00"), context, kPlaintext}));
  ASSERT_EQ(wvds_call_release(call), WVDS_SUCCESS);

  service.answers({}, Status::kSignatureInvalid);
  const wvds_public_key key = wvds_public_key_by_id(9);
  ASSERT_EQ(
      wvds_mldsa_verify_begin(session, &call, &message, &key, data(signature), signature.size(), 6, nullptr, 0, 0),
      WVDS_SUCCESS);
  fill(message, kPlaintext);
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SIGNATURE_INVALID);
  EXPECT_EQ(sent(), join({hex("09 00 00 00 00 00 00 00 00 00 74 09"), signature, kPlaintext}));
}

TEST_F(Call, SendsAnyOperationWithAPayloadOfTheCaller) {
  service.answers(repeated(0xE6, 4));
  wvds_call* call = nullptr;
  uint8_t* payload = nullptr;
  ASSERT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_RANDOM, 4), WVDS_SUCCESS);
  fill(payload, hex("04 00 00 00"));
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  ASSERT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(answer_of(call), repeated(0xE6, 4));
  EXPECT_EQ(sent_type(), WVDS_OP_RANDOM);
}

TEST_F(Call, IsNotBegunWithWhatDoesNotFit) {
  wvds_call* call = reinterpret_cast<wvds_call*>(8);
  uint8_t *place = nullptr, *aad = nullptr;
  EXPECT_EQ(wvds_aes_encrypt_begin(session, &call, &place, &aad, 7, WVDS_AES_MAX_SIZE, 1), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(call, nullptr);
  EXPECT_EQ(wvds_aes_encrypt_begin(session, &call, &place, &aad, 7, SIZE_MAX, SIZE_MAX), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(wvds_aes_decrypt_begin(session, &call, &place, &aad, 7, WVDS_AES_MAX_SIZE + 29, 0), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(wvds_aes_decrypt_begin(session, &call, &place, &aad, 7, 27, 0), WVDS_INVALID_PAYLOAD);
  EXPECT_EQ(wvds_mldsa_sign_begin(session, &call, &place, 9, SIZE_MAX, nullptr, 0, 0), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(wvds_request_begin(session, &call, &place, WVDS_OP_RANDOM, WVDS_MAX_REQUEST_PAYLOAD + 1),
            WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(wvds_request_begin(session, &call, &place, WVDS_OP_AES_ENCRYPT, 6 + WVDS_AES_MAX_SIZE + 1),
            WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_EQ(service.busy_slots, 0u);
  EXPECT_EQ(wvds_request_begin(session, &call, &place, WVDS_OP_AES_ENCRYPT, 6 + WVDS_AES_MAX_SIZE), WVDS_SUCCESS);
}

TEST_F(Call, IsNotBegunWithoutPlacesOrForNoOperation) {
  wvds_call* call = nullptr;
  uint8_t* place = nullptr;
  EXPECT_EQ(wvds_aes_encrypt_begin(session, nullptr, &place, nullptr, 7, 1, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_aes_encrypt_begin(session, &call, nullptr, nullptr, 7, 1, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_aes_encrypt_begin(session, &call, &place, nullptr, 7, 1, 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_mldsa_sign_begin(session, &call, nullptr, 9, 1, nullptr, 0, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_request_begin(session, nullptr, &place, WVDS_OP_PING, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_request_begin(session, &call, nullptr, WVDS_OP_PING, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_request_begin(session, &call, &place, 0x03, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_request_begin(session, &call, &place, 0x150, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST_F(Call, MayBeCollectedInAnyOrder) {
  service.answer = [](const Seen& request) { return frame(request.payload); };
  wvds_call* calls[2] = {};
  for (uint8_t i = 0; i < 2; ++i) {
    uint8_t* payload = nullptr;
    ASSERT_EQ(wvds_request_begin(session, &calls[i], &payload, WVDS_OP_RANDOM, 1), WVDS_SUCCESS);
    payload[0] = i;
    ASSERT_EQ(wvds_submit(calls[i]), WVDS_SUCCESS);
  }
  ASSERT_EQ(wvds_collect(calls[1], WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  ASSERT_EQ(wvds_collect(calls[0], WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(answer_of(calls[0]), hex("00"));
  EXPECT_EQ(answer_of(calls[1]), hex("01"));
}

TEST_F(Call, IsRefusedWhenEverySlotIsInUse) {
  begin_ping();
  wvds_call* second = begin_ping();
  wvds_call* third = nullptr;
  uint8_t* payload = nullptr;
  EXPECT_EQ(wvds_request_begin(session, &third, &payload, WVDS_OP_PING, 0), WVDS_BUSY);
  EXPECT_EQ(wvds_ping(session), WVDS_BUSY);
  EXPECT_EQ(wvds_call_release(second), WVDS_SUCCESS);
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
}

TEST_F(Call, IsSubmittedOnceAndCollectedAfterwards) {
  wvds_call* call = begin_ping();
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_submit(call), WVDS_SUCCESS);
  EXPECT_EQ(wvds_submit(call), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(wvds_submit(call), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_SUCCESS);
}

TEST_F(Call, HasAnAnswerOnlyAfterSuccess) {
  const uint8_t* out = reinterpret_cast<const uint8_t*>(8);
  size_t length = 9;
  wvds_call* call = begin_ping();
  EXPECT_EQ(wvds_answer(call, &out, &length), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(length, 0u);
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  EXPECT_EQ(wvds_answer(call, &out, &length), WVDS_INVALID_ARGUMENT);
  service.answers({}, Status::kRateLimited);
  EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_RATE_LIMITED);
  EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_RATE_LIMITED);
  EXPECT_EQ(wvds_answer(call, &out, &length), WVDS_INVALID_ARGUMENT);
}

TEST_F(Call, StaysInFlightAfterATimeout) {
  service.silent = true;
  wvds_call* call = begin_ping();
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_TIMEOUT);
  EXPECT_EQ(wvds_collect(call, 5), WVDS_TIMEOUT);
  service.silent = false;
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_SUCCESS);
}

TEST_F(Call, IsAbandonedWhenItIsReleasedInFlight) {
  wvds_call* call = begin_ping();
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  EXPECT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  EXPECT_EQ(service.busy_slots, 1u);
}

TEST_F(Call, EndsWhenTheServiceDies) {
  wvds_call* in_flight = begin_ping();
  wvds_call* open = begin_ping();
  ASSERT_EQ(wvds_submit(in_flight), WVDS_SUCCESS);
  service.gone = true;
  EXPECT_EQ(wvds_collect(in_flight, WVDS_DEFAULT_TIMEOUT), WVDS_DISCONNECTED);
  EXPECT_EQ(wvds_collect(in_flight, WVDS_DEFAULT_TIMEOUT), WVDS_DISCONNECTED);
  EXPECT_EQ(wvds_submit(open), WVDS_DISCONNECTED);
  EXPECT_EQ(wvds_call_release(in_flight), WVDS_SUCCESS);
  EXPECT_EQ(wvds_call_release(open), WVDS_SUCCESS);
}

TEST_F(Call, IsNoHandleAfterItsRelease) {
  wvds_call* call = begin_ping();
  ASSERT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  const uint8_t* out = nullptr;
  size_t length = 0;
  EXPECT_EQ(wvds_call_release(call), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_submit(call), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_answer(call, &out, &length), WVDS_INVALID_ARGUMENT);
}

TEST_F(Call, MayBeNullForReleaseOnly) {
  EXPECT_EQ(wvds_call_release(nullptr), WVDS_SUCCESS);
  EXPECT_EQ(wvds_submit(nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_collect(nullptr, WVDS_NO_WAIT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_answer(nullptr, nullptr, nullptr), WVDS_INVALID_ARGUMENT);
  wvds_call* call = begin_ping();
  EXPECT_EQ(wvds_answer(call, nullptr, nullptr), WVDS_INVALID_ARGUMENT);
}

TEST_F(Call, DistrustsAnAnswerOfTheWrongLength) {
  wvds_call* call = nullptr;
  uint8_t *plaintext = nullptr, *message = nullptr;
  for (const size_t length : {size_t{0}, kSealed.size() - 1, kSealed.size() + 1}) {
    service.answers(repeated(1, length));
    ASSERT_EQ(wvds_aes_encrypt_begin(session, &call, &plaintext, nullptr, 7, 6, 0), WVDS_SUCCESS);
    ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
    EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_PROTOCOL_ERROR);
    ASSERT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  }
  for (const size_t length : {size_t{0}, size_t{2419}, size_t{4628}}) {
    service.answers(repeated(1, length));
    ASSERT_EQ(wvds_mldsa_sign_begin(session, &call, &message, 9, 6, nullptr, 0, 0), WVDS_SUCCESS);
    ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
    EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_PROTOCOL_ERROR);
    ASSERT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  }
}

}  // namespace
}  // namespace wvds::client::testing
