#include "keystore/archive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "crypto/kdf.h"
#include "keystore/store_files.h"
#include "keystore/testing/key_world.h"

namespace wvds::keystore {
namespace {

using platform::SyncPoint;
using platform::testing::after_power_cut;
using testing::bytes_of;
using testing::choice_of;
using testing::FakeDisk;
using testing::Faults;
using testing::Findings;
using testing::key_file;
using testing::KeyWorld;
using testing::library;
using testing::medium_of;
using testing::put_secret;
using testing::RunningStore;
using testing::spec_of;
using testing::StoreBed;

using Octets = std::vector<std::byte>;

// The one warning of a store that was restored: its AES key has to be rotated.
bool only_wants_rotation(const std::vector<std::string>& warnings) {
  return warnings.size() == 1 && warnings.front().ends_with("rotate it");
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A store, and an archive of it under a key file, which costs less time than a passphrase and has the same format.
class Archive : public ::testing::Test, public StoreBed {
 protected:
  void SetUp() override {
    put_secret(secrets_, "archive", std::string(32, 'a'));
    put_secret(secrets_, "wrong", std::string(32, 'w'));
    open();
    aes_ = generate(spec_of(Algorithm::kAes256Gcm));
    kem_ = generate(spec_of(Algorithm::kMlKem512), "bob");
    ASSERT_TRUE(active(aes_)->count_use());
    secret_ = bytes_of(active(aes_)->aes_key());
    last_volatile_ = generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile));
    close();
    archive_ = archived();
  }

  std::unique_ptr<Protector> archive_key(std::string_view name = "archive") {
    return key_file(secrets_, no_faults_, name);
  }

  Octets archived() {
    const auto wrapping = archive_key();
    const auto opened = open_store(medium, library(), choice_of({protector.get()}));
    EXPECT_TRUE(opened.has_value());
    auto made = make_archive(medium, library(), *opened, *wrapping);
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    return made.value_or(Octets{});
  }

  Result<Restored> restore(Bytes archive, std::string_view key = "archive") {
    const auto wrapping = archive_key(key);
    return restore_archive(
        archive, medium,
        {.opening_library = library(), .archive_protector = *wrapping, .library = library(), .protector = *protector});
  }

  // The error of restoring into an empty medium, which stays so.
  std::string refusal(Bytes archive, std::string_view key = "archive") {
    medium.blobs.clear();
    const auto restored = restore(archive, key);
    EXPECT_EQ(medium.blobs.size(), restored ? medium.blobs.size() : 0u);
    return restored ? "" : restored.error().detail;
  }

  KeyWorld secrets_;
  Faults no_faults_;
  uint32_t aes_ = 0, kem_ = 0, last_volatile_ = 0;
  Octets secret_;
  Octets archive_;
};

TEST_F(Archive, BringsEveryKeyBackUnderAnotherProtector) {
  medium.blobs.clear();
  protector = make_memory_protector();
  const auto restored = restore(archive_);
  ASSERT_TRUE(restored.has_value()) << restored.error().detail;
  EXPECT_EQ(restored->records, 2u);
  EXPECT_EQ(restored->used_up, 1u);
  EXPECT_TRUE(restored->doubts.empty());
  EXPECT_FALSE(medium.blobs.contains(kRestoringName));
  open();
  EXPECT_TRUE(only_wants_rotation(store->warnings()));
  EXPECT_EQ(bytes_of(find(aes_)->versions().front()->aes_key()), secret_);
  EXPECT_TRUE(active(kem_, "bob")->mlkem_private());
}

// docs/storage-format.md, "Archive": nobody knows what happened after it was made.
TEST_F(Archive, GivesNoIdTwiceAndNoFurtherUseOfACountedVersion) {
  medium.blobs.clear();
  ASSERT_TRUE(restore(archive_));
  open();
  EXPECT_EQ(testing::status_of(active(aes_)->count_use()), Status::kKeyUsedUp);
  EXPECT_GE(generate(spec_of(Algorithm::kAes256Gcm)), kem_ + kIdsSkippedByRestore);
  EXPECT_GE(generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile)), last_volatile_ + kIdsSkippedByRestore);
  ASSERT_TRUE(store->rotate("alice", 1, aes_));
  EXPECT_TRUE(active(aes_)->count_use());
  open();
  EXPECT_TRUE(active(aes_)->count_use());
}

// The service was killed: the index does not know a new key and a rotated one yet.
TEST_F(Archive, HoldsWhatIsNewerThanTheIndex) {
  open();
  const uint32_t fresh = generate(spec_of(Algorithm::kAes256Gcm));
  ASSERT_TRUE(store->rotate("alice", 1, aes_));
  crash();
  const Octets archive = archived();
  medium.blobs.clear();
  ASSERT_TRUE(restore(archive));
  open();
  for (const uint32_t id : {aes_, fresh}) {
    EXPECT_EQ(testing::status_of(active(id)->count_use()), Status::kKeyUsedUp) << id;
    EXPECT_TRUE(store->rotate("alice", 1, id));
    EXPECT_TRUE(active(id)->count_use());
  }
  EXPECT_TRUE(store->warnings().empty());
}

TEST_F(Archive, HoldsDamagedRecordsAsTheyAreAndNamesThem) {
  medium.blobs.at(record_name(kem_))[60] ^= std::byte{1};
  const Octets archive = archived();
  const Octets damaged = medium.blobs.at(record_name(kem_));
  medium.blobs.clear();
  const auto restored = restore(archive);
  ASSERT_TRUE(restored.has_value());
  ASSERT_EQ(restored->doubts.size(), 1u);
  EXPECT_TRUE(contains(restored->doubts.front(), record_name(kem_)));
  EXPECT_EQ(medium.blobs.at(record_name(kem_)), damaged);
  open();
  EXPECT_EQ(bytes_of(find(aes_)->versions().front()->aes_key()), secret_);
  EXPECT_EQ(found(kem_, "bob"), Status::kStorageError);
}

TEST_F(Archive, DoesNotBringADeletedKeyBack) {
  const auto before = medium.blobs;
  open();
  ASSERT_TRUE(store->remove("alice", 1, aes_, 0));
  close();
  medium.blobs[record_name(aes_)] = before.at(record_name(aes_));
  const Octets archive = archived();
  medium.blobs.clear();
  ASSERT_TRUE(restore(archive));
  open();
  EXPECT_EQ(found(aes_), Status::kKeyNotFound);
}

TEST_F(Archive, IsNotMadeWithoutAnIndex) {
  medium.blobs.erase("index-a");
  medium.blobs.erase("index-b");
  const auto wrapping = archive_key();
  EXPECT_FALSE(
      make_archive(medium, library(), *open_store(medium, library(), choice_of({protector.get()})), *wrapping));
}

TEST_F(Archive, HoldsNoSecretInTheClear) {
  EXPECT_TRUE(std::ranges::search(archive_, secret_).empty());
  const auto opened = open_store(medium, library(), choice_of({protector.get()}));
  EXPECT_TRUE(std::ranges::search(archive_, opened->key.expose()).empty());
}

TEST_F(Archive, WithAnyByteChangedIsRefused) {
  for (size_t i = 0; i < archive_.size(); ++i) {
    Octets changed = archive_;
    changed[i] ^= std::byte{0x10};
    ASSERT_NE(refusal(changed), "") << "byte " << i;
  }
}

Octets with_right_checksum(Octets archive) {
  const auto checksum = crypto::sha256(library(), Bytes(archive).first(archive.size() - 32)).value();
  std::ranges::copy(checksum, archive.end() - 32);
  return archive;
}

// Only authentication stands against this.
TEST_F(Archive, WithAnyByteChangedAndItsChecksumMadeRightIsRefused) {
  for (size_t i = 0; i + 32 < archive_.size(); ++i) {
    Octets changed = archive_;
    changed[i] ^= std::byte{0x01};
    ASSERT_NE(refusal(with_right_checksum(changed)), "") << "byte " << i;
  }
}

TEST_F(Archive, CutAnywhereOrLongerIsRefused) {
  for (size_t size = 0; size < archive_.size(); size += size < 200 ? 1 : 13) {
    ASSERT_NE(refusal(Bytes(archive_).first(size)), "") << "cut to " << size;
  }
  Octets longer = archive_;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(contains(refusal(longer), "damaged"));
}

// edited makes an archive with other parts, whose tag is still that of the old ones.
Octets edited(const Octets& archive, const std::function<void(ArchiveFields&)>& edit) {
  const auto view = parse_blob(library(), "archive", BlobKind::kArchive, archive).value();
  auto fields = ArchiveFields::decode("archive", view.clear).value();
  edit(fields);
  const Octets clear = fields.encode().value();
  Octets out(archive.begin(), archive.begin() + 40);
  Writer(MutableBytes(out).subspan(12)).u32(static_cast<uint32_t>(clear.size()));
  out.insert(out.end(), clear.begin(), clear.end());
  out.insert(out.end(), archive.begin() + 40 + static_cast<std::ptrdiff_t>(view.clear.size()), archive.end());
  return with_right_checksum(out);
}

TEST_F(Archive, WithPartsExchangedReorderedOrLeftOutIsRefused) {
  EXPECT_EQ(refusal(edited(archive_, [](ArchiveFields&) {})), "");
  EXPECT_TRUE(
      contains(refusal(edited(archive_, [](ArchiveFields& fields) { fields.blobs.pop_back(); })), "not authentic"));
  EXPECT_TRUE(contains(
      refusal(
          edited(archive_, [](ArchiveFields& fields) { std::swap(fields.blobs[2].content, fields.blobs[3].content); })),
      "not authentic"));
  EXPECT_TRUE(
      contains(refusal(edited(archive_, [](ArchiveFields& fields) { std::swap(fields.blobs[2], fields.blobs[3]); })),
               "out of order"));
  EXPECT_TRUE(contains(refusal(edited(archive_, [](ArchiveFields& fields) { fields.blobs[0].name = "header-a"; })),
                       "no part of a store"));
}

TEST_F(Archive, WithAnotherPassphraseOrOfAnotherKindIsRefused) {
  EXPECT_TRUE(contains(refusal(archive_, "wrong"), "not the key file"));
  open();
  close();
  const Octets header = medium.blobs.at("header-a");
  EXPECT_TRUE(contains(refusal(header), "a store header"));
  EXPECT_TRUE(contains(refusal(Octets(1000, std::byte{'x'})), "not a file of a key store"));
}

// Another store's archive is another store: it comes back whole, or not at all.
TEST_F(Archive, OfAnotherStoreDoesNotMixWithThisOne) {
  StoreBed foreign;
  foreign.open();
  foreign.close();
  const auto wrapping = archive_key();
  const auto opened = open_store(foreign.medium, library(), choice_of({foreign.protector.get()}));
  const auto other = make_archive(foreign.medium, library(), *opened, *wrapping).value();
  const auto view = parse_blob(library(), "archive", BlobKind::kArchive, other).value();
  const Octets mixed = edited(
      archive_, [&](ArchiveFields& fields) { fields.blobs = ArchiveFields::decode("archive", view.clear)->blobs; });
  EXPECT_TRUE(contains(refusal(mixed), "not authentic"));
}

TEST_F(Archive, OfANewerFormatIsToldApart) {
  Octets newer = archive_;
  newer[9] = std::byte{2};
  medium.blobs.clear();
  const auto restored = restore(with_right_checksum(newer));
  ASSERT_FALSE(restored.has_value());
  EXPECT_EQ(restored.error().status, Status::kUnsupported);
}

TEST_F(Archive, IsNotRestoredOverAnythingOfAStore) {
  for (const auto& [name, content] : std::map(medium.blobs)) {
    medium.blobs = {{name, content}};
    const auto refused = restore(archive_);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_TRUE(contains(refused.error().detail, "already"));
    EXPECT_EQ(medium.blobs.size(), 1u);
  }
  medium.blobs = {{"lost+found", {}}};
  EXPECT_TRUE(restore(archive_));
}

TEST_F(Archive, ThatWasRestoredInAnInterruptedWayGivesWayToAnother) {
  medium.blobs = {{std::string(kRestoringName), {}}, {"k-00000009", {std::byte{1}}}};
  ASSERT_TRUE(restore(archive_));
  EXPECT_FALSE(medium.blobs.contains("k-00000009"));
  open();
  EXPECT_TRUE(only_wants_rotation(store->warnings()));
}

TEST_F(Archive, MarkOfAnInterruptedRestoreGoesWhenTheStoreOpens) {
  medium.blobs[std::string(kRestoringName)] = {};
  open();
  EXPECT_FALSE(medium.blobs.contains(kRestoringName));
  close();
  medium.blobs.erase("header-a");
  medium.blobs.erase("header-b");
  EXPECT_FALSE(restore(archive_)) << "records whose header is lost are not overwritten";
}

// A restore over a disk that loses, reorders and tears whatever was not synced.
class RestoreOnDisk : public Archive {
 protected:
  Result<Restored> restore_to(KeyWorld& world, Faults& faults) {
    WVDS_ASSIGN(store_medium, medium_of(world, faults));
    const auto wrapping = archive_key(), next = key_file(world, faults, "key");
    return restore_archive(
        archive_, *store_medium,
        {.opening_library = library(), .archive_protector = *wrapping, .library = library(), .protector = *next});
  }

  KeyWorld empty_world() {
    KeyWorld world;
    put_secret(world, "key", std::string(32, 'k'));
    return world;
  }

  // The service finds nothing at all, or all of it; never a part.
  std::string problem_with_service(KeyWorld world) {
    const auto is_own = [](const auto& name) { return is_archived(name.first) || name.first == kRestoringName; };
    const bool is_empty = std::ranges::none_of(world.store.cached_names, is_own) &&
                          !world.store.cached_names.contains(kHeaderNames[0]) &&
                          !world.store.cached_names.contains(kHeaderNames[1]);
    Faults none;
    auto running = RunningStore::start(world, none, "key");
    if (is_empty) return running ? "" : "an empty folder is refused: " + running.error().detail;
    if (!running) return contains(running.error().detail, "interrupted") ? "" : running.error().detail;
    auto found = (*running)->store->find("alice", 1, aes_);
    if (!found) return "the key is gone: " + found.error().detail;
    if (bytes_of(found->key->versions().front()->aes_key()) != secret_) return "the key is another";
    const auto warnings = (*running)->store->warnings();
    return only_wants_rotation(warnings) ? "" : "warnings: " + warnings.front();
  }

  // Where the service finds no store yet, another restore makes it whole.
  std::string problem_with_another_restore(KeyWorld world) {
    Faults none;
    const bool has_header =
        world.store.cached_names.contains(kHeaderNames[0]) || world.store.cached_names.contains(kHeaderNames[1]);
    const auto restored = restore_to(world, none);
    if (has_header) return restored ? "a store was overwritten" : "";
    return restored ? problem_with_service(world) : "can't be done again: " + restored.error().detail;
  }

  Findings run(const std::function<void(Faults&, size_t)>& arm) {
    Findings findings;
    for (size_t step = 0;; ++step) {
      KeyWorld world = empty_world();
      Faults faults;
      arm(faults, step);
      const auto restored = restore_to(world, faults);
      for (const auto& store : after_power_cut(world.store, 30, step)) {
        const KeyWorld future{store, world.secrets};
        findings.add(problem_with_service(future), step);
        findings.add(problem_with_another_restore(future), step);
        if (restored && !future.store.cached_names.contains(kHeaderNames[0])) findings.add("it is gone", step);
      }
      if (findings.violations > 0 || faults.steps <= step) return findings;
    }
  }
};

TEST_F(RestoreOnDisk, InterruptedAnywhereLeavesNothingOrAll) {
  const Findings found = run([](Faults& faults, size_t step) { faults.power_off_at = step; });
  EXPECT_EQ(found.violations, 0u) << found.first;
  EXPECT_GT(found.futures, 100u) << "the test has shrunk";
}

TEST_F(RestoreOnDisk, NeedsEachOfItsSyncs) {
  for (const SyncPoint point : {SyncPoint::kFileContent, SyncPoint::kNewName}) {
    const Findings found = run([&](Faults& faults, size_t step) {
      faults.power_off_at = step;
      faults.ignored_sync = point;
    });
    EXPECT_GT(found.violations, 0u) << platform::sync_point_name(point);
  }
}

TEST_F(RestoreOnDisk, ThatFailsLeavesTheFolderEmptyAgain) {
  for (size_t step = 0;; ++step) {
    KeyWorld world = empty_world();
    Faults full{.full_from = step};
    const auto restored = restore_to(world, full);
    if (restored) break;
    EXPECT_TRUE(world.store.cached_names.empty()) << "step " << step;
    Faults none;
    EXPECT_TRUE(restore_to(world, none)) << "step " << step;
  }
}

TEST_F(RestoreOnDisk, SurvivesAnyOneFailingStep) {
  const Findings found = run([](Faults& faults, size_t step) { faults.fail_at = step; });
  EXPECT_EQ(found.violations, 0u) << found.first;
}

}  // namespace
}  // namespace wvds::keystore
