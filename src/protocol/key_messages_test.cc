#include "protocol/key_messages.h"

#include <gtest/gtest.h>

#include <algorithm>

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

const Buffer kGenerate =
    hex("01 03 03 00 01 03 00 00  0A 00 00 00 00 00 00 00  02 00 00 00 00 00 00 00  03 00 00 00 00 00 00 00  61 62 63");
constexpr size_t kMaxUses = 8, kNotBefore = 16, kNotAfter = 24, kLabel = 32;

Buffer import_request(Algorithm algorithm, KeyFormat format, size_t length) {
  KeyTemplate key;
  key.algorithm = algorithm;
  key.label = "abc";
  const Buffer material = repeated(0x5A, length);
  return encoded([&](MutableBytes out) { return encode_key_import_request(key, format, material, out); });
}

TEST(KeyGenerateRequest, GivesItsFields) {
  const auto request = KeyGenerateRequest::decode(untrusted(kGenerate));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key.algorithm, Algorithm::kAes256Gcm);
  EXPECT_EQ(request->key.lifetime, Lifetime::kPersistent);
  EXPECT_EQ(request->key.usages, Usage::kEncrypt | Usage::kDecrypt);
  EXPECT_EQ(request->key.flags, kKeyFlagReplayWindowOff);
  EXPECT_EQ(request->key.label, "abc");
  EXPECT_EQ(request->key.limits, (KeyLimits{.max_uses = 10, .not_before = 2, .not_after = 3}));
  EXPECT_EQ(encoding_of(*request), kGenerate);
}

TEST(KeyGenerateRequest, HasOneLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<KeyGenerateRequest>(kGenerate));
  EXPECT_TRUE(testing::refuses_one_byte_more<KeyGenerateRequest>(kGenerate));
}

TEST(KeyGenerateRequest, TakesKnownAlgorithmsOnly) {
  for (int value = 0; value < 256; ++value) {
    const bool known = algorithm_info(static_cast<Algorithm>(value)) != nullptr;
    EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, 0, static_cast<uint8_t>(value))),
              known ? Status::kSuccess : Status::kInvalidPayload);
  }
}

TEST(KeyGenerateRequest, RejectsUnknownLifetimesFlagsFormatsAndReservedBytes) {
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, 1, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, 4, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, 6, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, 7, 1)), Status::kInvalidPayload);
}

TEST(KeyGenerateRequest, LeavesUsagesToTheKeyStore) {
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, 3, 0xff)), Status::kSuccess);
}

TEST(KeyGenerateRequest, TakesLimitsThatMakeSense) {
  const auto with = [](size_t field, std::string_view number) {
    Buffer request = kGenerate;
    const Buffer bytes = hex(std::string(number));
    std::ranges::copy(bytes, request.begin() + static_cast<ptrdiff_t>(field));
    return status_of<KeyGenerateRequest>(request);
  };
  EXPECT_EQ(with(kMaxUses, "00 00 00 00 00 00 01 00"), Status::kSuccess);
  EXPECT_EQ(with(kMaxUses, "01 00 00 00 00 00 01 00"), Status::kInvalidPayload);
  EXPECT_EQ(with(kNotAfter, "02 00 00 00 00 00 00 00"), Status::kInvalidPayload) << "as early as the beginning";
  EXPECT_EQ(with(kNotAfter, "01 00 00 00 00 00 00 00"), Status::kInvalidPayload);
  EXPECT_EQ(with(kNotAfter, "00 00 00 00 00 00 00 00"), Status::kSuccess) << "for ever";
  EXPECT_EQ(with(kNotBefore, "00 00 00 00 00 00 00 00"), Status::kSuccess);
  EXPECT_EQ(with(kNotAfter, "7F 41 F4 FF 3A 00 00 00"), Status::kSuccess) << "the last second of 9999";
  EXPECT_EQ(with(kNotAfter, "80 41 F4 FF 3A 00 00 00"), Status::kInvalidPayload);
}

TEST(KeyGenerateRequest, BoundsTheLabel) {
  const Buffer head = join({hex("01 03 03 00 00 40 00 00"), repeated(0, kLimitsSize)});
  EXPECT_EQ(status_of<KeyGenerateRequest>(join({head, repeated('x', 64)})), Status::kSuccess);
  EXPECT_EQ(status_of<KeyGenerateRequest>(join({changed(head, 5, 65), repeated('x', 65)})), Status::kInvalidPayload);
}

TEST(KeyGenerateRequest, RejectsALabelThatIsNoText) {
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, kLabel + 1, '\n')), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, kLabel + 1, 0x00)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyGenerateRequest>(changed(kGenerate, kLabel + 1, 0xff)), Status::kInvalidPayload);
}

TEST(KeyGenerateRequest, IsNotEncodedWithTooLongALabel) {
  Buffer out(200);
  KeyGenerateRequest request;
  request.key.label = std::string(65, 'x');
  EXPECT_EQ(request.encode(out).error().status, Status::kInvalidArgument);
}

TEST(KeyImportRequest, GivesItsFields) {
  const Buffer payload = import_request(Algorithm::kMlDsa65, KeyFormat::kSeed, 32);
  const auto request = KeyImportRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key.algorithm, Algorithm::kMlDsa65);
  EXPECT_EQ(request->key.label, "abc");
  EXPECT_EQ(request->format, KeyFormat::kSeed);
  EXPECT_EQ(copy_of(request->material), repeated(0x5A, 32));
}

struct MaterialCase {
  Algorithm algorithm;
  KeyFormat format;
  size_t length;
};

TEST(KeyImportRequest, TakesMaterialOfItsExactLengthOnly) {
  constexpr MaterialCase kCases[] = {
      {Algorithm::kAes256Gcm, KeyFormat::kRaw, 32},      {Algorithm::kMlDsa44, KeyFormat::kSeed, 32},
      {Algorithm::kMlDsa87, KeyFormat::kSeed, 32},       {Algorithm::kMlKem512, KeyFormat::kSeed, 64},
      {Algorithm::kMlKem1024, KeyFormat::kSeed, 64},     {Algorithm::kMlDsa44, KeyFormat::kPublic, 1312},
      {Algorithm::kMlDsa65, KeyFormat::kPublic, 1952},   {Algorithm::kMlDsa87, KeyFormat::kPublic, 2592},
      {Algorithm::kMlKem512, KeyFormat::kPublic, 800},   {Algorithm::kMlKem768, KeyFormat::kPublic, 1184},
      {Algorithm::kMlKem1024, KeyFormat::kPublic, 1568}, {Algorithm::kEcdsaP256, KeyFormat::kRaw, 32},
      {Algorithm::kEcdsaP384, KeyFormat::kRaw, 48},      {Algorithm::kEcdsaP256, KeyFormat::kPublic, 65},
      {Algorithm::kEcdsaP384, KeyFormat::kPublic, 97},
  };
  for (const auto& [algorithm, format, length] : kCases) {
    EXPECT_EQ(status_of<KeyImportRequest>(import_request(algorithm, format, length)), Status::kSuccess);
    EXPECT_EQ(status_of<KeyImportRequest>(import_request(algorithm, format, length - 1)), Status::kInvalidPayload);
    EXPECT_EQ(status_of<KeyImportRequest>(import_request(algorithm, format, length + 1)), Status::kInvalidPayload);
  }
}

TEST(KeyImportRequest, TakesPkcs8OfAnyLengthButNone) {
  EXPECT_EQ(status_of<KeyImportRequest>(import_request(Algorithm::kMlKem768, KeyFormat::kPkcs8, 1)), Status::kSuccess);
  EXPECT_EQ(status_of<KeyImportRequest>(import_request(Algorithm::kMlKem768, KeyFormat::kPkcs8, 5000)),
            Status::kSuccess);
  EXPECT_EQ(status_of<KeyImportRequest>(import_request(Algorithm::kMlKem768, KeyFormat::kPkcs8, 0)),
            Status::kInvalidPayload);
}

TEST(KeyImportRequest, RejectsAFormatThatTheAlgorithmDoesNotHave) {
  constexpr MaterialCase kCases[] = {
      {Algorithm::kAes256Gcm, KeyFormat::kSeed, 32},        {Algorithm::kAes256Gcm, KeyFormat::kPkcs8, 100},
      {Algorithm::kAes256Gcm, KeyFormat::kPublic, 0},       {Algorithm::kMlDsa44, KeyFormat::kRaw, 32},
      {Algorithm::kMlKem512, KeyFormat::kRaw, 32},          {Algorithm::kMlDsa44, static_cast<KeyFormat>(0), 32},
      {Algorithm::kMlDsa44, static_cast<KeyFormat>(5), 32}, {Algorithm::kEcdsaP256, KeyFormat::kSeed, 32},
  };
  for (const auto& [algorithm, format, length] : kCases) {
    EXPECT_EQ(status_of<KeyImportRequest>(import_request(algorithm, format, length)), Status::kInvalidPayload);
  }
}

TEST(KeyImportRequest, HoldsTheRulesOfTheHead) {
  const Buffer payload = import_request(Algorithm::kAes256Gcm, KeyFormat::kRaw, 32);
  EXPECT_EQ(status_of<KeyImportRequest>(changed(payload, 0, 0x02)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyImportRequest>(changed(payload, 1, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyImportRequest>(changed(payload, 4, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyImportRequest>(changed(payload, 7, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyImportRequest>(changed(payload, kMaxUses + 7, 0x01)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyImportRequest>(changed(payload, kLabel, 0x07)), Status::kInvalidPayload);
}

TEST(KeyVersionRequest, HasTwoNumbersAndNothingElse) {
  const Buffer payload = hex("11 00 00 00 02 00 00 00");
  const auto request = KeyVersionRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 17u);
  EXPECT_EQ(request->version, 2u);
  EXPECT_EQ(encoding_of(*request), payload);
  EXPECT_TRUE(testing::refuses_every_prefix<KeyVersionRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<KeyVersionRequest>(payload));
}

TEST(KeyIdRequest, HasOneNumberAndNothingElse) {
  const Buffer payload = hex("11 00 00 80");
  const auto request = KeyIdRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key_id, 0x80000011u);
  EXPECT_EQ(encoding_of(*request), payload);
  EXPECT_TRUE(testing::refuses_every_prefix<KeyIdRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<KeyIdRequest>(payload));
}

}  // namespace
}  // namespace wvds::protocol
