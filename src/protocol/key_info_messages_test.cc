#include <gtest/gtest.h>

#include "protocol/key_messages.h"
#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::encoding_of;
using testing::hex;
using testing::status_of;
using testing::untrusted;

KeyListAnswer a_list() {
  KeyListAnswer list;
  list.more = true;
  list.entries = {{5, Algorithm::kAes256Gcm, Lifetime::kPersistent, 3, 2, "ab"},
                  {9, Algorithm::kMlDsa65, Lifetime::kSession, 12, 1, ""}};
  return list;
}

KeyInfoAnswer an_info() {
  KeyInfoAnswer info;
  info.key_id = 17;
  info.algorithm = Algorithm::kAes256Gcm;
  info.lifetime = Lifetime::kPersistent;
  info.usages = 3;
  info.flags = kKeyFlagReplayWindowOff;
  info.place = KeyPlace::kFile;
  info.owner = "gw";
  info.label = "up";
  info.inside_fips = true;
  info.provider = "prov";
  info.limits = {.max_uses = 10, .not_before = 2, .not_after = 3};
  info.versions = {{2, KeyVersionState::kActive, 10, 1ull << 32, 4, 100},
                   {1, KeyVersionState::kRetired, 20, 1ull << 32, 5, 100}};
  return info;
}

constexpr size_t kFirstEntry = 4, kSecondEntry = 4 + 12 + 2;  // in the encoding of a_list
constexpr size_t kInfoNotBefore = 24, kOwner = 40, kProvider = 40 + 2 + 2,
                 kFirstVersion = 40 + 2 + 2 + 4;  // in an_info's

TEST(KeyListAnswer, GivesItsEntries) {
  const Buffer payload = encoding_of(a_list());
  const auto list = KeyListAnswer::decode(untrusted(payload));
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->more);
  ASSERT_EQ(list->entries.size(), 2u);
  EXPECT_EQ(list->entries[0].key_id, 5u);
  EXPECT_EQ(list->entries[0].algorithm, Algorithm::kAes256Gcm);
  EXPECT_EQ(list->entries[0].lifetime, Lifetime::kPersistent);
  EXPECT_EQ(list->entries[0].usages, 3);
  EXPECT_EQ(list->entries[0].versions, 2);
  EXPECT_EQ(list->entries[0].label, "ab");
  EXPECT_EQ(list->entries[1].key_id, 9u);
  EXPECT_EQ(encoding_of(*list), encoding_of(a_list()));
}

TEST(KeyListAnswer, MayBeEmpty) { EXPECT_EQ(status_of<KeyListAnswer>(hex("00 00 00 00")), Status::kSuccess); }

TEST(KeyListAnswer, RejectsAnEmptyListThatPromisesMore) {
  EXPECT_EQ(status_of<KeyListAnswer>(hex("00 00 01 00")), Status::kInvalidPayload);
}

TEST(KeyListAnswer, RejectsIdsThatDoNotGrow) {
  const Buffer list = encoding_of(a_list());
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, kSecondEntry, 5)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, kSecondEntry, 4)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, kFirstEntry, 0)), Status::kInvalidPayload);
}

TEST(KeyListAnswer, RejectsLabelsThatATerminalWouldObey) {
  EXPECT_EQ(status_of<KeyListAnswer>(changed(encoding_of(a_list()), kFirstEntry + 12, 0x1b)), Status::kInvalidPayload);
}

TEST(KeyListAnswer, RejectsWrongHeadsCountsAndReservedBytes) {
  const Buffer list = encoding_of(a_list());
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, 0, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, 0, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, 1, 0xff)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, 2, 2)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, 3, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, kFirstEntry + 5, 0)), Status::kInvalidPayload);   // lifetime
  EXPECT_EQ(status_of<KeyListAnswer>(changed(list, kFirstEntry + 11, 1)), Status::kInvalidPayload);  // zero
  EXPECT_TRUE(testing::refuses_every_prefix<KeyListAnswer>(list));
  EXPECT_TRUE(testing::refuses_one_byte_more<KeyListAnswer>(list));
}

TEST(KeyListAnswer, PassesAlgorithmsOfLaterVersionsOn) {
  EXPECT_EQ(status_of<KeyListAnswer>(changed(encoding_of(a_list()), kFirstEntry + 4, 0x77)), Status::kSuccess);
}

TEST(KeyListAnswer, HoldsAsManyEntriesAsItMay) {
  KeyListAnswer list;
  for (uint32_t id = 1; id <= kMaxKeyListEntries; ++id) {
    list.entries.push_back({id, Algorithm::kAes256Gcm, Lifetime::kSession, 3, 1, std::string(64, 'x')});
  }
  EXPECT_EQ(status_of<KeyListAnswer>(encoding_of(list)), Status::kSuccess);
  EXPECT_LE(encoding_of(list).size(), 65536u);
  list.entries.push_back(list.entries.back());
  Buffer out(1 << 20);
  EXPECT_EQ(list.encode(out).error().status, Status::kInvalidArgument);
}

TEST(KeyInfoAnswer, GivesItsFields) {
  const Buffer payload = encoding_of(an_info());
  const auto info = KeyInfoAnswer::decode(untrusted(payload));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->key_id, 17u);
  EXPECT_EQ(info->place, KeyPlace::kFile);
  EXPECT_EQ(info->flags, kKeyFlagReplayWindowOff);
  EXPECT_EQ(info->owner, "gw");
  EXPECT_EQ(info->label, "up");
  EXPECT_TRUE(info->inside_fips);
  EXPECT_EQ(info->provider, "prov");
  EXPECT_EQ(info->limits, an_info().limits);
  ASSERT_EQ(info->versions.size(), 2u);
  EXPECT_EQ(info->versions[0].number, 2u);
  EXPECT_EQ(info->versions[0].state, KeyVersionState::kActive);
  EXPECT_EQ(info->versions[1].state, KeyVersionState::kRetired);
  EXPECT_EQ(info->versions[1].uses, 20u);
  EXPECT_EQ(info->versions[1].use_limit, 1ull << 32);
  EXPECT_EQ(info->versions[1].window_used, 5u);
  EXPECT_EQ(info->versions[1].window_capacity, 100u);
  EXPECT_EQ(encoding_of(*info), encoding_of(an_info()));
}

TEST(KeyInfoAnswer, HasOneLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<KeyInfoAnswer>(encoding_of(an_info())));
  EXPECT_TRUE(testing::refuses_one_byte_more<KeyInfoAnswer>(encoding_of(an_info())));
}

TEST(KeyInfoAnswer, RejectsWhatIsNotAllowed) {
  const Buffer info = encoding_of(an_info());
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, 5, 0)), Status::kInvalidPayload);                  // lifetime
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, 14, 2)), Status::kInvalidPayload);                 // FIPS
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, 15, 5)), Status::kInvalidPayload);                 // its length
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kProvider, 0x1b)), Status::kInvalidPayload);       // provider
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kInfoNotBefore, 3)), Status::kInvalidPayload);     // limits
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kOwner, 0x1b)), Status::kInvalidPayload);          // owner
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kOwner + 2, 0x0a)), Status::kInvalidPayload);      // label
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kFirstVersion + 4, 0)), Status::kInvalidPayload);  // state
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kFirstVersion + 4, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(info, kFirstVersion + 7, 1)), Status::kInvalidPayload);  // zero
}

TEST(KeyInfoAnswer, HasAtMostFourVersions) {
  KeyInfoAnswer info = an_info();
  info.versions.resize(kMaxKeyVersions, info.versions.back());
  EXPECT_EQ(status_of<KeyInfoAnswer>(encoding_of(info)), Status::kSuccess);
  Buffer five = encoding_of(info);
  five.resize(five.size() + 32);
  std::copy_n(five.begin() + kFirstVersion, 32, five.end() - 32);
  EXPECT_EQ(status_of<KeyInfoAnswer>(changed(five, 12, 5)), Status::kInvalidPayload);
  info.versions.push_back(info.versions.back());
  Buffer out(1 << 12);
  EXPECT_EQ(info.encode(out).error().status, Status::kInvalidArgument);
}

TEST(KeyInfoAnswer, IsNotEncodedWithTooLongTexts) {
  Buffer out(1 << 12);
  KeyInfoAnswer info = an_info();
  info.owner = std::string(kMaxPrincipalSize + 1, 'x');
  EXPECT_EQ(info.encode(out).error().status, Status::kInvalidArgument);
  info = an_info();
  info.label = std::string(kMaxLabelSize + 1, 'x');
  EXPECT_EQ(info.encode(out).error().status, Status::kInvalidArgument);
}

TEST(KeyRotateAnswer, GivesVersionAndPublicKey) {
  const Buffer key = testing::repeated(0xD4, 1952);
  const Buffer payload = testing::encoded([&](MutableBytes out) { return encode_key_rotate_answer(3, key, out); });
  const auto answer = KeyRotateAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->version, 3u);
  EXPECT_EQ(testing::copy_of(answer->public_key), key);
  EXPECT_TRUE(testing::refuses_every_prefix<KeyRotateAnswer>(hex("03 00 00 00")));
}

}  // namespace
}  // namespace wvds::protocol
