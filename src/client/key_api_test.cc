#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "client/testing/fake_service.h"
#include "protocol/key_messages.h"

namespace wvds::client::testing {
namespace {

using KeyGenerate = ClientTest;
using KeyImport = ClientTest;
using KeyManagement = ClientTest;
using protocol::testing::encoding_of;

const Buffer kPublicKey = repeated(0xD4, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_65));
const Buffer kSeed = repeated(0x5A, WVDS_MLDSA_SEED_SIZE);

const Buffer kNoLimits = repeated(0, 24);

wvds_key_template a_template(wvds_algorithm algorithm) {
  wvds_key_template key{};
  key.algorithm = algorithm;
  return key;
}

TEST_F(KeyGenerate, SendsTheTemplateAndGivesTheKey) {
  service.answers(join({hex("0F 00 00 00"), kPublicKey}));
  wvds_key_template key = a_template(WVDS_MLDSA_65);
  key.lifetime = WVDS_LIFETIME_VOLATILE;
  key.usages = WVDS_USAGE_SIGN | WVDS_USAGE_VERIFY;
  key.label = "abc";
  Room room(WVDS_MAX_PUBLIC_KEY_SIZE);
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_generate(session, &id, room.out(), room.len(), room.max(), &key), WVDS_SUCCESS);
  EXPECT_EQ(id, 15u);
  EXPECT_EQ(room.filled(), kPublicKey);
  EXPECT_EQ(sent_type(), WVDS_OP_KEY_GENERATE);
  EXPECT_EQ(sent(), join({hex("11 02 0C 00 00 03 00 00"), kNoLimits, hex("61 62 63")}));
}

TEST_F(KeyGenerate, SendsTheLimits) {
  service.answers(join({hex("0F 00 00 00"), kPublicKey}));
  wvds_key_template key = a_template(WVDS_MLDSA_65);
  key.max_uses = WVDS_MAX_USES;
  key.not_before = 0x0102;
  key.not_after = 0x0304;
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_generate(session, &id, nullptr, nullptr, 0, &key), WVDS_SUCCESS);
  EXPECT_EQ(sent(), join({hex("11 00 00 00 00 00 00 00"), hex("00 00 00 00 00 00 01 00"),
                          hex("02 01 00 00 00 00 00 00"), hex("04 03 00 00 00 00 00 00")}));
}

TEST_F(KeyGenerate, GivesAnAesKeyWithoutPublicKey) {
  service.answers(hex("0F 00 00 00"));
  wvds_key_template key = a_template(WVDS_AES_256_GCM);
  key.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_generate(session, &id, nullptr, nullptr, 0, &key), WVDS_SUCCESS);
  EXPECT_EQ(id, 15u);
  EXPECT_EQ(sent(), join({hex("01 00 00 00 01 00 00 00"), kNoLimits}));
  Room room(10);
  EXPECT_EQ(wvds_key_generate(session, &id, room.out(), room.len(), room.max(), &key), WVDS_SUCCESS);
  EXPECT_EQ(room.reported(), 0u);
}

TEST_F(KeyGenerate, LetsTheCallerDeclineThePublicKey) {
  service.answers(join({hex("0F 00 00 00"), kPublicKey}));
  const wvds_key_template key = a_template(WVDS_MLDSA_65);
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_generate(session, &id, nullptr, nullptr, 0, &key), WVDS_SUCCESS);
  EXPECT_EQ(id, 15u);
}

TEST_F(KeyGenerate, MakesNoKeyForArgumentsOutOfRange) {
  uint32_t id = 5;
  const auto refused = [&](const wvds_key_template& key) {
    return wvds_key_generate(session, &id, nullptr, nullptr, 0, &key) == WVDS_INVALID_ARGUMENT && id == 0;
  };
  const auto with = [](auto change) {
    wvds_key_template key = a_template(WVDS_MLDSA_65);
    change(key);
    return key;
  };
  const std::string longest(WVDS_MAX_LABEL_SIZE, 'x'), too_long(WVDS_MAX_LABEL_SIZE + 1, 'x');
  EXPECT_TRUE(refused(a_template(0)));
  EXPECT_TRUE(refused(a_template(0x111)));
  EXPECT_TRUE(refused(with([](auto& key) { key.lifetime = 4; })));
  EXPECT_TRUE(refused(with([](auto& key) { key.usages = 0x10004; })));
  EXPECT_TRUE(refused(with([](auto& key) { key.flags = 4; })));
  EXPECT_TRUE(refused(with([&](auto& key) { key.label = too_long.c_str(); })));
  EXPECT_TRUE(refused(with([](auto& key) { key.max_uses = WVDS_MAX_USES + 1; })));
  EXPECT_TRUE(refused(with([](auto& key) { key.not_before = key.not_after = 7; })));
  EXPECT_TRUE(refused(with([](auto& key) { key.not_after = uint64_t{1} << 40; })));
  EXPECT_TRUE(refused(with([](auto& key) { key.reserved[0] = 1; })));
  EXPECT_TRUE(refused(with([](auto& key) { key.reserved[1] = 1; })));
  EXPECT_EQ(wvds_key_generate(session, &id, nullptr, nullptr, 0, nullptr), WVDS_INVALID_ARGUMENT);
  const wvds_key_template good = with([&](auto& key) { key.label = longest.c_str(); });
  EXPECT_EQ(wvds_key_generate(session, nullptr, nullptr, nullptr, 0, &good), WVDS_INVALID_ARGUMENT);
  Room room(1951);
  EXPECT_EQ(wvds_key_generate(session, &id, room.out(), room.len(), room.max(), &good), WVDS_BUFFER_TOO_SMALL);
  EXPECT_EQ(wvds_key_generate(session, &id, room.out(), nullptr, room.max(), &good), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
  service.answers(join({hex("0F 00 00 00"), kPublicKey}));
  EXPECT_EQ(wvds_key_generate(session, &id, nullptr, nullptr, 0, &good), WVDS_SUCCESS);
}

TEST_F(KeyImport, SendsTheMaterial) {
  service.answers(join({hex("10 00 00 00"), kPublicKey}));
  const wvds_key_template key = a_template(WVDS_MLDSA_65);
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_import(session, &id, nullptr, nullptr, 0, &key, WVDS_KEY_FORMAT_SEED, data(kSeed), kSeed.size()),
            WVDS_SUCCESS);
  EXPECT_EQ(id, 16u);
  EXPECT_EQ(sent_type(), WVDS_OP_KEY_IMPORT);
  EXPECT_EQ(sent(), join({hex("11 00 00 00 00 00 02 00"), kNoLimits, kSeed}));
}

TEST_F(KeyImport, LeavesNoMaterialInTheSlot) {
  service.answers(join({hex("10 00 00 00"), kPublicKey}));
  const wvds_key_template key = a_template(WVDS_MLDSA_65);
  uint32_t id = 0;
  for (const Status status : {Status::kSuccess, Status::kLimitReached}) {
    if (status != Status::kSuccess) service.answers({}, status);
    wvds_key_import(session, &id, nullptr, nullptr, 0, &key, WVDS_KEY_FORMAT_SEED, data(kSeed), kSeed.size());
    wvds_call* call = nullptr;
    uint8_t* payload = nullptr;
    ASSERT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0), WVDS_SUCCESS);
    EXPECT_TRUE(std::ranges::all_of(std::span(payload, 200), [](uint8_t b) { return b == 0; }));
    wvds_call_release(call);
  }
}

TEST_F(KeyImport, LeavesTheMaterialAloneWhileTheServiceMayStillReadIt) {
  service.silent = true;
  const wvds_key_template key = a_template(WVDS_MLDSA_65);
  // The only other slot is taken, so that the address of the abandoned one is known.
  wvds_call* call = nullptr;
  uint8_t* payload = nullptr;
  ASSERT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 8), WVDS_SUCCESS);
  ASSERT_EQ(wvds_call_release(call), WVDS_SUCCESS);
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_import(session, &id, nullptr, nullptr, 0, &key, WVDS_KEY_FORMAT_SEED, data(kSeed), kSeed.size()),
            WVDS_TIMEOUT);
  constexpr size_t kMaterial = 32;
  EXPECT_EQ(payload[kMaterial], 0x5A);
  EXPECT_EQ(payload[kMaterial + kSeed.size() - 1], 0x5A);
}

TEST_F(KeyImport, RefusesMaterialOfALengthThatTheFormatDoesNotHave) {
  const Buffer bytes = repeated(1, 3000);
  uint32_t id = 0;
  const auto import = [&](wvds_algorithm algorithm, wvds_key_format format, size_t length) {
    const wvds_key_template key = a_template(algorithm);
    return wvds_key_import(session, &id, nullptr, nullptr, 0, &key, format, data(bytes), length);
  };
  EXPECT_EQ(import(WVDS_AES_256_GCM, WVDS_KEY_FORMAT_RAW, 31), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_AES_256_GCM, WVDS_KEY_FORMAT_SEED, 32), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_AES_256_GCM, WVDS_KEY_FORMAT_PUBLIC, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_AES_256_GCM, WVDS_KEY_FORMAT_PKCS8, 50), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLDSA_65, WVDS_KEY_FORMAT_RAW, 32), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLDSA_65, WVDS_KEY_FORMAT_SEED, 64), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLKEM_768, WVDS_KEY_FORMAT_SEED, 32), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_ECDSA_P256, WVDS_KEY_FORMAT_SEED, 32), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_ECDSA_P256, WVDS_KEY_FORMAT_RAW, 48), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_ECDSA_P384, WVDS_KEY_FORMAT_RAW, 32), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_ECDSA_P384, WVDS_KEY_FORMAT_PUBLIC, 65), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLKEM_768, WVDS_KEY_FORMAT_PUBLIC, 1185), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLKEM_768, WVDS_KEY_FORMAT_PKCS8, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLKEM_768, 0, 64), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLKEM_768, 5, 64), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(import(WVDS_MLKEM_768, 0x102, 64), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(KeyImport, RefusesAPkcs8FileThatDoesNotFit) {
  const Buffer largest = repeated(1, WVDS_MAX_REQUEST_PAYLOAD - 32),
               one_more = repeated(1, WVDS_MAX_REQUEST_PAYLOAD - 31);
  const wvds_key_template key = a_template(WVDS_MLDSA_65);
  service.answers(join({hex("10 00 00 00"), kPublicKey}));
  uint32_t id = 0;
  EXPECT_EQ(
      wvds_key_import(session, &id, nullptr, nullptr, 0, &key, WVDS_KEY_FORMAT_PKCS8, data(largest), largest.size()),
      WVDS_SUCCESS);
  EXPECT_EQ(
      wvds_key_import(session, &id, nullptr, nullptr, 0, &key, WVDS_KEY_FORMAT_PKCS8, data(one_more), one_more.size()),
      WVDS_PAYLOAD_TOO_LARGE);
}

TEST_F(KeyManagement, GivesAPublicKey) {
  service.answers(kPublicKey);
  Room room(WVDS_MAX_PUBLIC_KEY_SIZE);
  EXPECT_EQ(wvds_key_public(session, room.out(), room.len(), room.max(), 16, 2), WVDS_SUCCESS);
  EXPECT_EQ(room.filled(), kPublicKey);
  EXPECT_EQ(sent(), hex("10 00 00 00 02 00 00 00"));
  Room small(100);
  EXPECT_EQ(wvds_key_public(session, small.out(), small.len(), small.max(), 16, 0), WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(small.wiped());
}

protocol::KeyListAnswer three_keys() {
  protocol::KeyListAnswer list;
  list.entries = {{5, Algorithm::kAes256Gcm, Lifetime::kPersistent, 3, 2, "first"},
                  {8, Algorithm::kMlDsa65, Lifetime::kSession, 12, 1, std::string(64, 'x')},
                  {9, Algorithm::kMlKem768, Lifetime::kVolatile, 0xA0, 1, ""}};
  return list;
}

TEST_F(KeyManagement, ListsKeys) {
  service.answers(encoding_of(three_keys()));
  std::array<wvds_key_entry, 10> entries{};
  size_t num = 0;
  int more = 7;
  EXPECT_EQ(wvds_key_list(session, entries.data(), &num, entries.size(), &more, 4), WVDS_SUCCESS);
  EXPECT_EQ(sent(), hex("04 00 00 00"));
  ASSERT_EQ(num, 3u);
  EXPECT_EQ(more, 0);
  EXPECT_EQ(entries[0].key_id, 5u);
  EXPECT_EQ(entries[0].algorithm, static_cast<wvds_algorithm>(WVDS_AES_256_GCM));
  EXPECT_EQ(entries[0].lifetime, static_cast<wvds_lifetime>(WVDS_LIFETIME_PERSISTENT));
  EXPECT_EQ(entries[0].usages, static_cast<uint32_t>(WVDS_USAGE_ENCRYPT | WVDS_USAGE_DECRYPT));
  EXPECT_EQ(entries[0].num_versions, 2u);
  EXPECT_STREQ(entries[0].label, "first");
  EXPECT_EQ(std::string(entries[1].label), std::string(64, 'x'));
  EXPECT_STREQ(entries[2].label, "");
}

TEST_F(KeyManagement, ListsAsManyKeysAsThereIsRoomFor) {
  service.answers(encoding_of(three_keys()));
  std::array<wvds_key_entry, 2> entries{};
  size_t num = 0;
  int more = 0;
  EXPECT_EQ(wvds_key_list(session, entries.data(), &num, entries.size(), &more, 0), WVDS_SUCCESS);
  EXPECT_EQ(num, 2u);
  EXPECT_EQ(more, 1);
  EXPECT_EQ(wvds_key_list(session, entries.data(), &num, 0, &more, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_key_list(session, nullptr, &num, 2, &more, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_key_list(session, entries.data(), nullptr, 2, &more, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_key_list(session, entries.data(), &num, 2, nullptr, 0), WVDS_INVALID_ARGUMENT);
}

TEST_F(KeyManagement, SaysWhenTheServiceHasMoreKeys) {
  protocol::KeyListAnswer list = three_keys();
  list.more = true;
  service.answers(encoding_of(list));
  std::array<wvds_key_entry, 10> entries{};
  size_t num = 0;
  int more = 0;
  EXPECT_EQ(wvds_key_list(session, entries.data(), &num, entries.size(), &more, 0), WVDS_SUCCESS);
  EXPECT_EQ(num, 3u);
  EXPECT_EQ(more, 1);
}

TEST_F(KeyManagement, DistrustsAListThatWouldNeverEnd) {
  service.answers(encoding_of(three_keys()));
  std::array<wvds_key_entry, 10> entries{};
  size_t num = 9;
  int more = 9;
  EXPECT_EQ(wvds_key_list(session, entries.data(), &num, entries.size(), &more, 5), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(num, 0u);
  EXPECT_EQ(more, 0);
}

protocol::KeyInfoAnswer an_info() {
  protocol::KeyInfoAnswer info;
  info.key_id = 17;
  info.algorithm = Algorithm::kAes256Gcm;
  info.lifetime = Lifetime::kPersistent;
  info.usages = 3;
  info.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  info.place = protocol::KeyPlace::kTpm;
  info.owner = std::string(WVDS_MAX_OWNER_SIZE, 'o');
  info.label = "uplink";
  info.limits = {.max_uses = 7, .not_before = 8, .not_after = 9};
  info.versions.resize(WVDS_MAX_KEY_VERSIONS);
  for (uint32_t i = 0; i < WVDS_MAX_KEY_VERSIONS; ++i) {
    info.versions[i] = {4 - i, protocol::KeyVersionState::kRetired, 10 + i, 1ull << 32, i, 1000};
  }
  info.versions[0].state = protocol::KeyVersionState::kActive;
  return info;
}

TEST_F(KeyManagement, DescribesAKey) {
  service.answers(encoding_of(an_info()));
  wvds_key_details details;
  EXPECT_EQ(wvds_key_info(session, &details, 17), WVDS_SUCCESS);
  EXPECT_EQ(details.key_id, 17u);
  EXPECT_EQ(details.place, static_cast<uint32_t>(WVDS_PLACE_TPM));
  EXPECT_EQ(details.flags, static_cast<uint32_t>(WVDS_KEY_REPLAY_WINDOW_OFF));
  EXPECT_EQ(std::string(details.owner), std::string(WVDS_MAX_OWNER_SIZE, 'o'));
  EXPECT_STREQ(details.label, "uplink");
  EXPECT_EQ(details.max_uses, 7u);
  EXPECT_EQ(details.not_before, 8u);
  EXPECT_EQ(details.not_after, 9u);
  ASSERT_EQ(details.num_versions, WVDS_MAX_KEY_VERSIONS);
  EXPECT_EQ(details.versions[0].number, 4u);
  EXPECT_EQ(details.versions[0].state, static_cast<uint32_t>(WVDS_KEY_VERSION_ACTIVE));
  EXPECT_EQ(details.versions[3].number, 1u);
  EXPECT_EQ(details.versions[3].state, static_cast<uint32_t>(WVDS_KEY_VERSION_RETIRED));
  EXPECT_EQ(details.versions[3].uses, 13u);
  EXPECT_EQ(details.versions[3].use_limit, 1ull << 32);
  EXPECT_EQ(details.versions[3].window_used, 3u);
  EXPECT_EQ(details.versions[3].window_capacity, 1000u);
  EXPECT_EQ(details.reserved[0], 0u);
}

TEST_F(KeyManagement, DistrustsTheDescriptionOfAnotherKey) {
  service.answers(encoding_of(an_info()));
  wvds_key_details details;
  EXPECT_EQ(wvds_key_info(session, &details, 18), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(details.key_id, 0u);
  EXPECT_EQ(wvds_key_info(session, nullptr, 17), WVDS_INVALID_ARGUMENT);
}

TEST_F(KeyManagement, RotatesAKey) {
  service.answers(join({hex("03 00 00 00"), kPublicKey}));
  Room room(WVDS_MAX_PUBLIC_KEY_SIZE);
  uint32_t version = 0;
  EXPECT_EQ(wvds_key_rotate(session, &version, room.out(), room.len(), room.max(), 16), WVDS_SUCCESS);
  EXPECT_EQ(version, 3u);
  EXPECT_EQ(room.filled(), kPublicKey);
  EXPECT_EQ(sent_type(), WVDS_OP_KEY_ROTATE);
  EXPECT_EQ(sent(), hex("10 00 00 00"));
  EXPECT_EQ(wvds_key_rotate(session, &version, nullptr, nullptr, 0, 16), WVDS_SUCCESS);
}

TEST_F(KeyManagement, RotatesNothingWhenThePublicKeyMightNotFit) {
  Room room(WVDS_MAX_PUBLIC_KEY_SIZE - 1);
  uint32_t version = 5;
  EXPECT_EQ(wvds_key_rotate(session, &version, room.out(), room.len(), room.max(), 16), WVDS_BUFFER_TOO_SMALL);
  EXPECT_EQ(version, 0u);
  EXPECT_EQ(wvds_key_rotate(session, nullptr, nullptr, nullptr, 0, 16), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(KeyManagement, RetiresAndDeletesKeys) {
  EXPECT_EQ(wvds_key_retire(session, 17), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_KEY_RETIRE);
  EXPECT_EQ(sent(), hex("11 00 00 00"));
  EXPECT_EQ(wvds_key_delete(session, 17, 1), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_KEY_DELETE);
  EXPECT_EQ(sent(), hex("11 00 00 00 01 00 00 00"));
  service.answers({}, Status::kKeyNotFound);
  EXPECT_EQ(wvds_key_delete(session, 17, 0), WVDS_KEY_NOT_FOUND);
}

}  // namespace
}  // namespace wvds::client::testing
