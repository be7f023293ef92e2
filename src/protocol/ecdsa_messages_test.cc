#include "protocol/ecdsa_messages.h"

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

const Buffer kEcdsaSign = hex("09 00 00 00  02 00  50 51 52");
const Buffer kSignDigest = join({hex("09 00 00 00  01 01"), repeated(0x77, 32)});

Buffer verify_request(const EcdsaVerifyHead& head, const Buffer& message) {
  return join({testing::encoded([&](MutableBytes out) { return encode_ecdsa_verify_head(head, out); }), message});
}

EcdsaVerifyHead stored_key_head() { return {.key_id = 9, .hash = Hash::kSha256, .public_key = {}, .signature = {}}; }

EcdsaVerifyHead ecdsa_raw_key_head(Algorithm algorithm, const Buffer& public_key, const Buffer& signature) {
  return {.algorithm = algorithm, .hash = Hash::kSha256, .public_key = public_key, .signature = signature};
}

TEST(EcdsaSignRequest, GivesItsFields) {
  const auto request = EcdsaSignRequest::decode(untrusted(kEcdsaSign));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 9u);
  EXPECT_EQ(request->hash, Hash::kSha384);
  EXPECT_EQ(request->flags, 0u);
  EXPECT_EQ(copy_of(request->message), hex("50 51 52"));
}

TEST(EcdsaSignRequest, TakesAnEmptyMessage) {
  EXPECT_EQ(status_of<EcdsaSignRequest>(hex("09 00 00 00  01 00")), Status::kSuccess);
}

TEST(EcdsaSignRequest, TakesTheThreeHashesOnly) {
  for (int hash = 0; hash < 256; ++hash) {
    EXPECT_EQ(status_of<EcdsaSignRequest>(changed(kEcdsaSign, 4, static_cast<uint8_t>(hash))),
              hash >= 1 && hash <= 3 ? Status::kSuccess : Status::kInvalidPayload)
        << hash;
  }
}

TEST(EcdsaSignRequest, RejectsUnknownFlags) {
  for (int bit = 1; bit < 8; ++bit) {
    EXPECT_EQ(status_of<EcdsaSignRequest>(changed(kEcdsaSign, 5, static_cast<uint8_t>(1 << bit))),
              Status::kInvalidPayload);
  }
}

TEST(EcdsaSignRequest, RejectsAPayloadShorterThanItsFixedPart) {
  for (size_t length = 0; length < kEcdsaSignFixedSize; ++length) {
    const Buffer shorter(kEcdsaSign.begin(), kEcdsaSign.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_EQ(status_of<EcdsaSignRequest>(shorter), Status::kInvalidPayload);
  }
}

TEST(EcdsaSignRequest, TakesADigestOfTheHashsLengthOnly) {
  for (const Hash hash : {Hash::kSha256, Hash::kSha384, Hash::kSha512}) {
    for (const size_t length : {0, 20, 31, 32, 33, 47, 48, 49, 63, 64, 65}) {
      const Buffer head =
          testing::encoded([&](MutableBytes out) { return encode_ecdsa_sign_head(9, hash, kEcdsaDigest, out); });
      EXPECT_EQ(status_of<EcdsaSignRequest>(join({head, repeated(7, length)})),
                length == hash_size(hash) ? Status::kSuccess : Status::kInvalidPayload)
          << hash_name(hash) << " " << length;
    }
  }
  EXPECT_TRUE(testing::refuses_every_prefix<EcdsaSignRequest>(kSignDigest));
  EXPECT_TRUE(testing::refuses_one_byte_more<EcdsaSignRequest>(kSignDigest));
}

TEST(EcdsaSignHead, IsWhatTheDecoderReads) {
  const Buffer head =
      testing::encoded([](MutableBytes out) { return encode_ecdsa_sign_head(9, Hash::kSha384, 0, out); });
  EXPECT_EQ(head.size(), kEcdsaSignFixedSize);
  EXPECT_EQ(join({head, hex("50 51 52")}), kEcdsaSign);
}

TEST(EcdsaVerifyRequest, GivesTheFieldsOfAStoredKey) {
  const Buffer signature = repeated(0x5A, 71);
  EcdsaVerifyHead head = stored_key_head();
  head.signature = signature;
  const Buffer payload = verify_request(head, hex("50 51"));
  const auto request = EcdsaVerifyRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 9u);
  EXPECT_EQ(request->algorithm, Algorithm::kNone);
  EXPECT_EQ(request->hash, Hash::kSha256);
  EXPECT_TRUE(request->public_key.empty());
  EXPECT_EQ(copy_of(request->signature), signature);
  EXPECT_EQ(copy_of(request->message), hex("50 51"));
}

TEST(EcdsaVerifyRequest, TakesRawKeysOfTheirExactSizeOnly) {
  for (const Algorithm algorithm : {Algorithm::kEcdsaP256, Algorithm::kEcdsaP384}) {
    const size_t size = algorithm_info(algorithm)->public_key;
    for (const size_t length : {size - 1, size, size + 1, size_t{0}}) {
      const Buffer key = repeated(1, length), signature = repeated(2, 10);
      EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(ecdsa_raw_key_head(algorithm, key, signature), {})),
                length == size ? Status::kSuccess : Status::kInvalidPayload);
    }
  }
}

TEST(EcdsaVerifyRequest, RejectsRawKeysOfOtherAlgorithms) {
  for (const Algorithm algorithm : {Algorithm::kNone, Algorithm::kAes256Gcm, Algorithm::kMlDsa44,
                                    static_cast<Algorithm>(0x32), static_cast<Algorithm>(0xff)}) {
    const AlgorithmInfo* info = algorithm_info(algorithm);
    const Buffer key = repeated(1, info != nullptr ? info->public_key : 65);
    EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(ecdsa_raw_key_head(algorithm, key, {}), {})),
              Status::kInvalidPayload);
  }
}

TEST(EcdsaVerifyRequest, RejectsAKeyIdTogetherWithAKey) {
  EcdsaVerifyHead both = ecdsa_raw_key_head(Algorithm::kEcdsaP256, {}, {});
  both.key_id = 9;
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(both, {})), Status::kInvalidPayload);
  const Buffer key = repeated(1, 65);
  both.algorithm = Algorithm::kNone;
  both.public_key = key;
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(both, {})), Status::kInvalidPayload);
}

TEST(EcdsaVerifyRequest, RejectsUnknownHashesFlagsAndReservedBytes) {
  const Buffer payload = verify_request(stored_key_head(), {});
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(payload), Status::kSuccess);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(changed(payload, 5, 0)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(changed(payload, 5, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(changed(payload, 6, 2)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(changed(payload, 6, 0x80)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(changed(payload, 7, 1)), Status::kInvalidPayload);
}

TEST(EcdsaVerifyRequest, TakesADigestOfTheHashsLengthOnly) {
  EcdsaVerifyHead head = stored_key_head();
  head.flags = kEcdsaDigest;
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(head, repeated(1, 32))), Status::kSuccess);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(head, repeated(1, 31))), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EcdsaVerifyRequest>(verify_request(head, repeated(1, 48))), Status::kInvalidPayload);
}

TEST(EcdsaVerifyRequest, RejectsLengthsThatLie) {
  const Buffer key = repeated(1, 65), signature = repeated(2, 20);
  const Buffer payload = verify_request(ecdsa_raw_key_head(Algorithm::kEcdsaP256, key, signature), hex("50"));
  for (const size_t offset : {8u, 9u, 10u, 11u}) {
    EXPECT_EQ(status_of<EcdsaVerifyRequest>(changed(payload, offset, 0xff)), Status::kInvalidPayload);
  }
  EXPECT_TRUE(testing::refuses_every_prefix<EcdsaVerifyRequest>(Buffer(payload.begin(), payload.end() - 1)));
}

TEST(EcdsaVerifyHead, RefusesWhatItsLengthFieldsCannotHold) {
  Buffer out(1 << 20);
  const Buffer too_long = repeated(1, 65536);
  EcdsaVerifyHead head = stored_key_head();
  head.public_key = too_long;
  EXPECT_EQ(encode_ecdsa_verify_head(head, out).error().status, Status::kInvalidArgument);
  head.public_key = {};
  head.signature = too_long;
  EXPECT_EQ(encode_ecdsa_verify_head(head, out).error().status, Status::kInvalidArgument);
}

}  // namespace
}  // namespace wvds::protocol
