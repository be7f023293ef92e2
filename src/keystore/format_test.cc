#include "keystore/format.h"

#include <gtest/gtest.h>

#include <random>

#include "keystore/store_files.h"
#include "keystore/testing/store_bed.h"

namespace wvds::keystore {
namespace {

using testing::bytes_of;
using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

std::vector<std::byte> fill(size_t size, int value) { return std::vector<std::byte>(size, std::byte(value)); }

HeaderFields a_header() {
  return {.generation = 7,
          .protector = Place::kTpm,
          .protector_header = fill(300, 5),
          .extensions = {{1, fill(3, 1)}, {0x7fff, {}}}};
}

IndexFields an_index() {
  IndexFields index{.generation = 9, .next_stored_id = 70, .next_memory_id = 0x10000400, .listed_below = 6};
  index.keys = {{.id = 1, .generation = 3, .record_bytes = 180, .owner = "alice", .versions = {{2, 65536}, {1, 5}}},
                {.id = 2, .generation = 1, .record_bytes = 2200, .owner = "bob"},
                {.id = 5, .generation = 1, .record_bytes = 200, .owner = "alice", .versions = {{1, 1ull << 32}}}};
  index.extensions = {{12, fill(1, 9)}};
  return index;
}

RecordFields a_record(Algorithm algorithm = Algorithm::kMlKem512) {
  RecordFields record{.id = 42, .generation = 3, .spec = spec_of(algorithm), .owner = "alice"};
  const size_t public_size = algorithm_info(algorithm)->public_key;
  record.versions = {{.number = 3, .uses = 65536, .public_key = fill(public_size, 3)},
                     {.number = 1, .state = VersionState::kRetired, .uses = 7, .public_key = fill(public_size, 1)}};
  record.extensions = {{2, fill(5, 2)}};
  return record;
}

template <class Fields>
std::string refusal(Bytes clear, Status status = Status::kStorageError) {
  const auto decoded = Fields::decode("the-name", clear);
  EXPECT_FALSE(decoded.has_value());
  if (decoded) return "";
  EXPECT_EQ(decoded.error().status, status) << decoded.error().detail;
  EXPECT_TRUE(decoded.error().detail.starts_with("the-name: ")) << decoded.error().detail;
  return decoded.error().detail;
}

template <class Fields>
void expect_round_trip(const Fields& fields) {
  const auto encoded = fields.encode();
  const auto decoded = Fields::decode("the-name", encoded);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().detail;
  EXPECT_EQ(decoded->encode(), encoded);
}

TEST(StoreFormat, ComesBackAsItWasWritten) {
  expect_round_trip(a_header());
  expect_round_trip(HeaderFields{});
  expect_round_trip(an_index());
  expect_round_trip(IndexFields{});
  for (const Algorithm algorithm : {Algorithm::kAes256Gcm, Algorithm::kMlDsa44, Algorithm::kMlDsa87,
                                    Algorithm::kMlKem1024, Algorithm::kEcdsaP256, Algorithm::kEcdsaP384}) {
    expect_round_trip(a_record(algorithm));
  }
  const auto index = IndexFields::decode("n", an_index().encode()).value();
  EXPECT_EQ(index.keys[2].owner, "alice");
  EXPECT_EQ(index.keys[0].versions[1].uses, 5u);
  const auto record = RecordFields::decode("n", a_record().encode()).value();
  EXPECT_EQ(record.versions[1].state, VersionState::kRetired);
  EXPECT_EQ(record.secret_size(), 128u);
  EXPECT_EQ(record.extensions, a_record().extensions);
}

// Whatever a decoder accepts is what the encoder writes: there is one encoding of each content.
template <class Fields>
void expect_one_encoding(const Fields& fields) {
  const auto encoded = fields.encode();
  std::mt19937 random(1);
  for (size_t i = 0; i < encoded.size(); ++i) {
    EXPECT_FALSE(Fields::decode("n", Bytes(encoded).first(i))) << "cut to " << i;
    for (int n = 0; n < 4; ++n) {
      auto changed = encoded;
      changed[i] ^= std::byte(1 + random() % 255);
      const auto decoded = Fields::decode("n", changed);
      if (decoded) {
        EXPECT_EQ(decoded->encode(), changed) << "byte " << i;
      }
    }
  }
  auto longer = encoded;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Fields::decode("n", longer));
}

TEST(StoreFormat, HasOneEncodingOfEachContent) {
  expect_one_encoding(a_header());
  expect_one_encoding(an_index());
  expect_one_encoding(a_record());
  RecordFields limited = a_record();
  limited.spec.limits = {.max_uses = 0x0102030405, .not_before = 0x01020304, .not_after = 0x01030304};
  expect_one_encoding(limited);
  IndexFields index = an_index();
  index.keys[1].limits = limited.spec.limits;
  index.keys[2].limits.not_after = 5;
  index.keys[2].retired = true;
  expect_one_encoding(index);
}

TEST(StoreFormat, KeepsUnknownExtensionsUnlessTheyAreCritical) {
  HeaderFields header = a_header();
  header.extensions = {{1, fill(2, 1)}, {0x8123, fill(2, 1)}};
  EXPECT_NE(refusal<HeaderFields>(header.encode(), Status::kUnsupported).find("0x8123"), std::string::npos);
  RecordFields record = a_record();
  record.extensions = {{0x8000, {}}};
  EXPECT_NE(refusal<RecordFields>(record.encode(), Status::kUnsupported).find("0x8000"), std::string::npos);
}

TEST(StoreFormat, KnowsARollbackValueInAnIndexOnly) {
  IndexFields index = an_index();
  index.extensions = {{12, fill(1, 9)}, {kRollbackTag, fill(24, 1)}};
  expect_round_trip(index);
  RecordFields record = a_record();
  record.extensions = {{kRollbackTag, fill(24, 1)}};
  EXPECT_NE(refusal<RecordFields>(record.encode(), Status::kUnsupported).find("0x8002"), std::string::npos);
}

TEST(StoreFormat, RefusesExtensionsOutOfOrder) {
  for (const Extensions& wrong : {Extensions{{2, {}}, {1, {}}}, Extensions{{2, {}}, {2, {}}}}) {
    HeaderFields header = a_header();
    header.extensions = wrong;
    refusal<HeaderFields>(header.encode());
  }
}

TEST(IndexFormat, RefusesWhatMakesNoSense) {
  const auto refused = [](auto change) {
    IndexFields index = an_index();
    change(index);
    refusal<IndexFields>(index.encode());
  };
  refused([](IndexFields& index) { std::swap(index.keys[0].id, index.keys[1].id); });
  refused([](IndexFields& index) { index.keys[1].id = 1; });
  refused([](IndexFields& index) { index.keys[0].id = 0; });
  refused([](IndexFields& index) { index.keys[0].owner = "a b"; });
  refused([](IndexFields& index) { index.keys[0].owner = ""; });
  refused([](IndexFields& index) { std::swap(index.keys[0].versions[0], index.keys[0].versions[1]); });
  refused([](IndexFields& index) { index.keys[0].versions[1].number = 0; });
  refused([](IndexFields& index) { index.keys[0].versions.resize(5); });
}

TEST(RecordFormat, RefusesWhatMakesNoSense) {
  const auto refused = [](auto change, Status status = Status::kStorageError) {
    RecordFields record = a_record();
    change(record);
    refusal<RecordFields>(record.encode(), status);
  };
  refused([](RecordFields& record) { record.id = 0; });
  refused([](RecordFields& record) { record.owner = "nobody at all"; });
  refused([](RecordFields& record) { record.spec.label = "\x01"; });
  refused([](RecordFields& record) { record.spec.usages = 0; });
  refused([](RecordFields& record) { record.spec.usages = static_cast<Usages>(Usage::kSign); });
  refused([](RecordFields& record) { record.versions.clear(); });
  refused([](RecordFields& record) { record.versions[0].number = 1; });
  refused([](RecordFields& record) { record.versions[1].number = 0; });
  refused([](RecordFields& record) { record.versions[1].state = VersionState::kActive; });
  refused([](RecordFields& record) { record.versions[0].state = static_cast<VersionState>(3); }, Status::kUnsupported);
  refused([](RecordFields& record) { record.versions[0].form = static_cast<SecretForm>(4); }, Status::kUnsupported);
  refused([](RecordFields& record) { record.versions[0].form = SecretForm::kInToken; });
  refused([](RecordFields& record) { record.spec.inside_token = true; });
  refused([](RecordFields& record) { record.versions[0].public_key.pop_back(); });
  RecordFields aes = a_record(Algorithm::kAes256Gcm);
  aes.versions[0].form = SecretForm::kPublicOnly;
  refusal<RecordFields>(aes.encode());
  auto unknown = a_record().encode();
  unknown[8] = std::byte{0x99};
  refusal<RecordFields>(unknown, Status::kUnsupported);
}

// The extension as docs/storage-format.md describes it, behind everything that a record without limits has.
TEST(RecordFormat, WritesLimitsAsACriticalExtension) {
  RecordFields record = a_record();
  record.extensions.clear();
  const auto without = record.encode();
  record.spec.limits = {.max_uses = 0x0102, .not_before = 3, .not_after = 4};
  const auto with = record.encode();
  std::vector<std::byte> expected(without.begin(), without.end() - 4);
  for (const int byte : {28, 0, 0, 0, 0x01, 0x80, 24, 0}) expected.push_back(std::byte(byte));
  for (const int byte : {2, 1, 0, 0, 0, 0, 0, 0}) expected.push_back(std::byte(byte));
  for (const int byte : {3, 0, 0, 0, 0, 0, 0, 0}) expected.push_back(std::byte(byte));
  for (const int byte : {4, 0, 0, 0, 0, 0, 0, 0}) expected.push_back(std::byte(byte));
  EXPECT_EQ(with, expected);
  const auto read = RecordFields::decode("k", with);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->spec.limits, record.spec.limits);
  EXPECT_TRUE(read->extensions.empty());
  EXPECT_EQ(read->encode(), with);
}

TEST(RecordFormat, KeepsOtherExtensionsBesideLimits) {
  RecordFields record = a_record();
  record.extensions = {{77, fill(9, 7)}};
  record.spec.limits.max_uses = 5;
  const auto read = RecordFields::decode("k", record.encode());
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->extensions, record.extensions);
  EXPECT_EQ(read->spec.limits.max_uses, 5u);
}

TEST(RecordFormat, RefusesLimitsThatMakeNoSense) {
  const auto refused = [](KeyLimits limits, Usages usages = Usage::kEncapsulate | Usage::kDecapsRaw) {
    RecordFields record = a_record();
    record.spec.usages = usages;
    record.spec.limits = limits;
    refusal<RecordFields>(record.encode());
  };
  refused({.max_uses = kMostUses + 1});
  refused({.not_before = 4, .not_after = 4});
  refused({.not_after = kLastDate + 1});
  refused({.max_uses = 5}, static_cast<Usages>(Usage::kEncapsulate));
  RecordFields none = a_record();
  none.extensions = {{kLimitsTag, fill(kLimitsSize, 0)}};
  refusal<RecordFields>(none.encode());
  RecordFields longer = a_record();
  longer.extensions = {{kLimitsTag, fill(kLimitsSize + 1, 0)}};
  refusal<RecordFields>(longer.encode());
  RecordFields newer = a_record();
  newer.extensions = {{kLimitsTag + 1, {}}};
  refusal<RecordFields>(newer.encode(), Status::kUnsupported);
}

TEST(IndexFormat, ListsTheLimitsOfAKeyBehindItsFixedFields) {
  IndexFields index;
  index.keys = {{.id = 1, .owner = "a"}, {.id = 2, .owner = "a"}};
  const auto without = index.encode();
  constexpr size_t kFirstKey = 28 + 2, kFlags = 15;
  index.keys[0].limits = {.max_uses = 0x0102, .not_before = 0, .not_after = 4};
  index.keys[0].retired = true;
  const auto with = index.encode();
  ASSERT_EQ(with.size(), without.size() + kLimitsSize);
  EXPECT_EQ(with[kFirstKey + kFlags], std::byte{3});
  EXPECT_EQ(with[kFirstKey + 16], std::byte{2});
  const auto read = IndexFields::decode("i", with);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  EXPECT_EQ(read->keys[0].limits, index.keys[0].limits);
  EXPECT_TRUE(read->keys[0].retired);
  EXPECT_FALSE(read->keys[1].limits.any());
  EXPECT_EQ(read->encode(), with);
  auto flags = without;
  flags[kFirstKey + kFlags] = std::byte{2};
  refusal<IndexFields>(flags);
  flags[kFirstKey + kFlags] = std::byte{4};
  refusal<IndexFields>(flags, Status::kUnsupported);
  index.keys[0].limits = {.max_uses = kMostUses + 1};
  refusal<IndexFields>(index.encode());
}

TEST(Labels, AreTextWithoutControlCharacters) {
  for (const char* good :
       {"", "plain", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_label(good)) << good;
  for (const char* bad : {"\n", "\x7f", "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82"}) {
    EXPECT_FALSE(is_label(bad)) << bad;
  }
  EXPECT_TRUE(is_label(std::string(64, 'x')));
  EXPECT_FALSE(is_label(std::string(65, 'x')));
}

TEST(RecordNames, AreEightHexDigits) {
  EXPECT_EQ(record_name(1), "k-00000001");
  EXPECT_EQ(record_name(0x0abcdef9), "k-0abcdef9");
}

// A field that a newer program added survives what this one does with the key.
TEST(StoreFormat, KeepsARecordsUnknownExtensionsOverARotation) {
  StoreBed bed;
  bed.open();
  const uint32_t id = bed.generate(spec_of(Algorithm::kAes256Gcm));
  bed.close();
  std::vector<std::string> warnings;
  const auto change = [&](auto act) {
    auto files = StoreFiles::open(bed.medium, *bed.protector, testing::library(), warnings).value();
    auto record = files->open_record(id, files->read_record_blob(id).value()).value();
    act(*files, record);
  };
  const Extensions added{{77, fill(9, 7)}};
  change([&](StoreFiles& files, StoreFiles::Record& record) {
    record.fields.extensions = added;
    ASSERT_TRUE(files.write_record(record.fields, record.secrets.expose()));
  });
  bed.open();
  ASSERT_TRUE(bed.store->rotate("alice", 1, id));
  bed.close();
  change([&](StoreFiles&, StoreFiles::Record& record) {
    EXPECT_EQ(record.fields.extensions, added);
    EXPECT_EQ(record.fields.versions.size(), 2u);
  });
}

TEST(StoreFormat, KeepsTheIndexsUnknownExtensions) {
  StoreBed bed;
  bed.open();
  bed.close();
  std::vector<std::string> warnings;
  const auto read = [&](StoreFiles& files) { return files.read_index(warnings).value(); };
  {
    auto files = StoreFiles::open(bed.medium, *bed.protector, testing::library(), warnings).value();
    IndexFields index = read(*files);
    index.extensions = {{5, fill(2, 5)}};
    ASSERT_TRUE(files->write_index(index));
  }
  bed.open();
  bed.close();
  auto files = StoreFiles::open(bed.medium, *bed.protector, testing::library(), warnings).value();
  EXPECT_EQ(read(*files).extensions, (Extensions{{5, fill(2, 5)}}));
}

TEST(Blob, TellsWhatIsWrong) {
  const auto key = fill(32, 1);
  const StoreId store{std::byte{9}};
  const auto clear = fill(20, 2), secret = fill(32, 3);
  const auto& library = testing::library();
  const auto blob = seal_blob(library, key, BlobKind::kKey, store, clear, secret).value();
  EXPECT_EQ(blob.size(), blob_size(20, 32));
  const auto view = parse_blob(library, "n", BlobKind::kKey, blob).value();
  EXPECT_EQ(bytes_of(view.clear), clear);
  EXPECT_EQ(view.store, store);
  EXPECT_EQ(bytes_of(open_sealed(library, "n", key, view)->expose()), secret);
  EXPECT_EQ(status_of(open_sealed(library, "n", fill(32, 2), view)), Status::kStorageError);
  const auto detail = [&](BlobKind kind, Bytes bytes) { return parse_blob(library, "n", kind, bytes).error().detail; };
  EXPECT_EQ(detail(BlobKind::kIndex, blob), "n: holds a key record, which its name does not say");
  EXPECT_EQ(detail(BlobKind::kKey, {}), "n: not a file of a key store");
  EXPECT_EQ(detail(BlobKind::kKey, Bytes(blob).first(60)), "n: damaged: cut short");
  EXPECT_EQ(detail(BlobKind::kKey, Bytes(blob).first(blob.size() - 1)), "n: damaged: its checksum does not match");
}

TEST(Blob, UsesANonceOfItsOwnEachTime) {
  const auto key = fill(32, 1);
  const auto& library = testing::library();
  const auto one = seal_blob(library, key, BlobKind::kKey, {}, {}, fill(32, 3)).value();
  const auto two = seal_blob(library, key, BlobKind::kKey, {}, {}, fill(32, 3)).value();
  EXPECT_NE(one, two);
}

}  // namespace
}  // namespace wvds::keystore
