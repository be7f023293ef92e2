#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crypto/kdf.h"
#include "keystore/testing/store_bed.h"

// What becomes of a store that somebody or something has changed: it is named, nothing else suffers, and nothing good
// is overwritten.
namespace wvds::keystore {
namespace {

using testing::bytes_of;
using testing::MemoryMedium;
using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

KeySpec aes(Lifetime lifetime = Lifetime::kPersistent) { return spec_of(Algorithm::kAes256Gcm, lifetime); }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A store with two keys, closed.
class DamagedStore : public ::testing::Test, public StoreBed {
 protected:
  void SetUp() override {
    open();
    victim_ = generate(aes());
    other_ = generate(spec_of(Algorithm::kMlKem512));
    secret_ = bytes_of(active(victim_)->aes_key());
    close();
    whole_ = medium.blobs;
  }

  // restore is needed between attempts: a store that is still open would write its index when it closes.
  void restore() {
    close();
    medium.blobs = whole_;
  }

  // The error of opening, empty when it opens.
  std::string refusal() {
    auto opened = try_open();
    return opened ? "" : opened.error().detail;
  }

  void expect_victim_refused(std::string_view named) {
    const auto refused = store->find("alice", 1, victim_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().status, Status::kStorageError);
    EXPECT_TRUE(contains(refused.error().detail, record_name(victim_))) << refused.error().detail;
    EXPECT_TRUE(contains(refused.error().detail, named)) << refused.error().detail;
    EXPECT_TRUE(warns_of(record_name(victim_)));
    EXPECT_TRUE(active(other_)->mlkem_private()) << "the others are served";
  }

  void expect_all_is_well() {
    EXPECT_EQ(bytes_of(active(victim_)->aes_key()), secret_);
    EXPECT_TRUE(active(victim_)->count_use());
    EXPECT_TRUE(active(other_)->mlkem_private());
    EXPECT_TRUE(store->generate("alice", 1, aes()));
  }

  uint32_t victim_ = 0, other_ = 0;
  std::vector<std::byte> secret_;
  MemoryMedium::Blobs whole_;
};

TEST_F(DamagedStore, RefusesARecordWithAnyByteChanged) {
  const auto record = whole_.at(record_name(victim_));
  for (size_t i = 0; i < record.size(); ++i) {
    restore();
    blob(record_name(victim_))[i] ^= std::byte{0x10};
    open();
    const auto damaged = blob(record_name(victim_));
    expect_victim_refused("");
    ASSERT_FALSE(HasFailure()) << "byte " << i;
    EXPECT_EQ(blob(record_name(victim_)), damaged) << "nothing is written over it";
  }
}

// A flipped bit with the checksum made right again: only authentication stands against that.
TEST_F(DamagedStore, RefusesARecordChangedWithItsChecksum) {
  const auto record = whole_.at(record_name(victim_));
  for (size_t i = 0; i + 32 < record.size(); ++i) {
    restore();
    auto& changed = blob(record_name(victim_));
    changed[i] ^= std::byte{0x01};
    const auto checksum = crypto::sha256(testing::library(), Bytes(changed).first(changed.size() - 32)).value();
    std::ranges::copy(checksum, changed.end() - 32);
    open();
    expect_victim_refused("");
    ASSERT_FALSE(HasFailure()) << "byte " << i;
  }
}

TEST_F(DamagedStore, RefusesARecordCutAnywhere) {
  const size_t size = whole_.at(record_name(victim_)).size();
  for (size_t i = 0; i < size; ++i) {
    restore();
    blob(record_name(victim_)).resize(i);
    open();
    expect_victim_refused("");
    ASSERT_FALSE(HasFailure()) << "length " << i;
  }
  restore();
  blob(record_name(victim_)).push_back(std::byte{0});
  open();
  expect_victim_refused("damaged");
}

TEST_F(DamagedStore, RefusesARecordThatWasRenamed) {
  restore();
  open();
  const uint32_t third = generate(aes());
  close();
  blob(record_name(victim_)) = blob(record_name(third));
  open();
  expect_victim_refused("not authentic");
}

TEST_F(DamagedStore, RefusesARecordOfAnotherStoreAndSaysWhose) {
  StoreBed foreign;
  foreign.protector = std::move(protector);  // even with the same protector
  foreign.open();
  ASSERT_EQ(foreign.generate(aes()), victim_);
  foreign.close();
  protector = std::move(foreign.protector);
  blob(record_name(victim_)) = foreign.blob(record_name(victim_));
  open();
  expect_victim_refused("belongs to another store");
}

TEST_F(DamagedStore, RefusesAnOlderRecordThatWasPutBack) {
  const auto older = whole_.at(record_name(victim_));
  open();
  ASSERT_TRUE(store->rotate("alice", 1, victim_));
  close();
  blob(record_name(victim_)) = older;
  open();
  expect_victim_refused("an older copy");
}

TEST_F(DamagedStore, DoesNotServeADeletedKeyWhoseRecordWasPutBack) {
  open();
  ASSERT_TRUE(store->remove("alice", 1, victim_, 0));
  close();
  medium.blobs[record_name(victim_)] = whole_.at(record_name(victim_));
  for (int start = 0; start < 2; ++start) {
    open();
    EXPECT_EQ(found(victim_), Status::kKeyNotFound);
    EXPECT_TRUE(warns_of(record_name(victim_) + ": this key was deleted"));
    EXPECT_NE(generate(aes()), victim_);
  }
  EXPECT_TRUE(medium.blobs.contains(record_name(victim_))) << "but it is not for the service to delete it";
}

TEST_F(DamagedStore, LetsTheOwnerDeleteADamagedKey) {
  blob(record_name(victim_))[50] ^= std::byte{1};
  open();
  EXPECT_EQ(found(victim_), Status::kStorageError);
  EXPECT_EQ(status_of(store->remove("bob", 1, victim_, 0)), Status::kKeyNotFound);
  EXPECT_TRUE(store->remove("alice", 1, victim_, 0));
  EXPECT_EQ(found(victim_), Status::kKeyNotFound);
  EXPECT_FALSE(warns_of(record_name(victim_)));
}

TEST_F(DamagedStore, HidesADamagedKeyFromStrangersLikeAnyOther) {
  blob(record_name(victim_))[50] ^= std::byte{1};
  open();
  EXPECT_EQ(found(victim_, "bob"), Status::kKeyNotFound);
  EXPECT_EQ(found(victim_), Status::kStorageError);
  EXPECT_EQ(found(victim_, "bob"), Status::kKeyNotFound);
}

TEST_F(DamagedStore, ReadsADamagedRecordOnlyOnce) {
  blob(record_name(victim_))[50] ^= std::byte{1};
  open();
  EXPECT_EQ(found(victim_), Status::kStorageError);
  const size_t reads = medium.reads;
  EXPECT_EQ(found(victim_), Status::kStorageError);
  EXPECT_EQ(medium.reads, reads);
}

TEST_F(DamagedStore, TriesAgainWhenTheDiskCouldNotRead) {
  open();
  medium.unreadable = true;
  EXPECT_EQ(found(victim_), Status::kStorageError);
  medium.unreadable = false;
  expect_all_is_well();
}

TEST_F(DamagedStore, SaysThatARecordIsMissing) {
  open();
  medium.blobs.erase(record_name(victim_));
  expect_victim_refused("missing");
}

// A new record that could not be read at one start is still a new one at the next.
TEST_F(DamagedStore, DoesNotTakeAnUnreadableNewRecordForADeletedOne) {
  open();
  const uint32_t fresh = generate(aes());
  crash();
  const auto record = blob(record_name(fresh));
  blob(record_name(fresh))[50] ^= std::byte{1};
  open();
  EXPECT_EQ(found(fresh), Status::kKeyNotFound) << "nobody knows whose it is";
  EXPECT_TRUE(warns_of(record_name(fresh)));
  const uint32_t later = generate(aes());
  EXPECT_NE(later, fresh);
  close();
  blob(record_name(fresh)) = record;
  open();
  EXPECT_EQ(found(fresh), Status::kSuccess);
  EXPECT_EQ(found(later), Status::kSuccess);
}

class OneCopy : public DamagedStore, public ::testing::WithParamInterface<const char*> {};

TEST_P(OneCopy, MayBeDamagedAnywhereAndIsRepaired) {
  const size_t size = whole_.at(GetParam()).size();
  for (size_t i = 0; i < size; ++i) {
    restore();
    blob(GetParam())[i] ^= std::byte{0x10};
    open();
    EXPECT_TRUE(warns_of(GetParam()));
    expect_all_is_well();
    ASSERT_FALSE(HasFailure()) << "byte " << i;
    open();
    EXPECT_FALSE(warns_of(GetParam())) << "written anew from the other copy";
  }
}

TEST_P(OneCopy, MayBeCutOrEmptyOrMissing) {
  for (const int length : {-1, 0, 1, 40, 100}) {
    restore();
    length < 0 ? void(medium.blobs.erase(GetParam())) : blob(GetParam()).resize(static_cast<size_t>(length));
    open();
    expect_all_is_well();
    close();
    EXPECT_EQ(medium.blobs.count(GetParam()), 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, OneCopy, ::testing::Values("header-a", "header-b", "index-a", "index-b"));

TEST_F(DamagedStore, KeepsUseCountsAndIdsWhenEitherIndexIsLostAfterACrash) {
  for (const char* lost : {"index-a", "index-b"}) {
    restore();
    open();
    uint64_t uses = 0;
    while (uses < 60'000 && active(victim_)->count_use()) ++uses;
    const uint32_t last = generate(aes()), last_in_memory = generate(aes(Lifetime::kVolatile));
    crash();
    medium.blobs.erase(lost);
    open();
    EXPECT_GE(active(victim_)->uses(), 60'000u);
    EXPECT_GT(generate(aes()), last);
    EXPECT_GT(generate(aes(Lifetime::kVolatile)), last_in_memory);
  }
}

TEST_F(DamagedStore, WithBothHeadersLostIsRefusedByNameAndLeftAlone) {
  const std::function<void(const char*)> losses[] = {[this](const char* name) { medium.blobs.erase(name); },
                                                     [this](const char* name) { blob(name)[60] ^= std::byte{1}; },
                                                     [this](const char* name) { blob(name).clear(); }};
  for (const auto& lose : losses) {
    restore();
    lose("header-a");
    lose("header-b");
    const auto before = medium.blobs;
    const std::string detail = refusal();
    EXPECT_TRUE(contains(detail, "header-a") && contains(detail, "header-b") && contains(detail, "backup")) << detail;
    EXPECT_EQ(medium.blobs, before);
  }
}

TEST_F(DamagedStore, WithBothIndexesLostServesWhatNeedsNone) {
  for (const bool erased : {true, false}) {
    restore();
    for (const char* name : {"index-a", "index-b"}) erased ? void(medium.blobs.erase(name)) : blob(name).resize(70);
    const auto before = medium.blobs;
    open();
    EXPECT_TRUE(warns_of("index-a") && warns_of("index-b"));
    EXPECT_TRUE(active(other_)->mlkem_private());
    EXPECT_EQ(bytes_of(active(victim_)->aes_key()), secret_) << "for decryption";
    EXPECT_EQ(status_of(active(victim_)->count_use()), Status::kStorageError) << "nobody knows how often it was used";
    EXPECT_EQ(found(victim_, "bob"), Status::kKeyNotFound) << "owners are known from the records";
    for (const Lifetime lifetime : {Lifetime::kPersistent, Lifetime::kVolatile, Lifetime::kSession}) {
      EXPECT_EQ(status_of(store->generate("alice", 1, aes(lifetime))), Status::kStorageError)
          << "nobody knows which ids were used";
    }
    close();
    EXPECT_EQ(medium.blobs, before) << "nothing is written over what may be put back";
    medium.blobs["index-b"] = whole_.at("index-b");
    open();
    expect_all_is_well();
  }
}

TEST_F(DamagedStore, RefusesHeadersOfDifferentStores) {
  StoreBed foreign;
  foreign.open();
  foreign.close();
  blob("header-b") = foreign.blob("header-b");
  EXPECT_TRUE(contains(refusal(), "different stores"));
}

TEST_F(DamagedStore, TakesAnIndexOfAnotherStoreForALostOne) {
  StoreBed foreign;
  foreign.protector = std::move(protector);  // even with the same protector
  foreign.open();
  foreign.generate(aes());
  foreign.close();
  protector = std::move(foreign.protector);
  blob("index-a") = foreign.blob("index-a");
  open();
  EXPECT_TRUE(warns_of("index-a: belongs to another store"));
  expect_all_is_well();
  restore();
  for (const char* name : {"index-a", "index-b"}) blob(name) = foreign.blob(name);
  const auto before = medium.blobs;
  open();
  EXPECT_TRUE(warns_of("without an index"));
  EXPECT_EQ(bytes_of(active(victim_)->aes_key()), secret_);
  EXPECT_EQ(status_of(active(victim_)->count_use()), Status::kStorageError);
  close();
  EXPECT_EQ(medium.blobs, before) << "nothing is written over them";
}

TEST_F(DamagedStore, DoesNotOpenWithAnotherProtectorsKey) {
  const auto before = medium.blobs;
  protector = make_memory_protector();
  EXPECT_FALSE(refusal().empty());
  EXPECT_EQ(medium.blobs, before);
}

class OtherKind : public Protector {
 public:
  Place place() const override { return Place::kTpm; }
  Result<crypto::LockedBytes> create(const crypto::Library&, std::vector<std::byte>&) override {
    return fail(Status::kInternalError);
  }
  Result<crypto::LockedBytes> unlock(const crypto::Library&, Bytes) override { return fail(Status::kInternalError); }
};

TEST_F(DamagedStore, SaysWhichKindOfProtectorItNeeds) {
  protector = std::make_unique<OtherKind>();
  const std::string detail = refusal();
  EXPECT_TRUE(contains(detail, "\"memory\"") && contains(detail, "\"tpm\"")) << detail;
  EXPECT_TRUE(contains(detail, "set \"protector\" to \"memory\"")) << detail;
}

// Changes a byte of the head and makes the checksum right again, as a newer program's file would have it.
void make_newer(std::vector<std::byte>& blob) {
  blob[9] = std::byte{2};
  const auto checksum = crypto::sha256(testing::library(), Bytes(blob).first(blob.size() - 32)).value();
  std::ranges::copy(checksum, blob.end() - 32);
}

TEST_F(DamagedStore, RefusesANewerFormatByNameAndLosesNothing) {
  for (const char* name : {"header-a", "header-b", "index-a", "index-b"}) {
    restore();
    make_newer(blob(name));
    const auto before = medium.blobs;
    const auto opened = try_open();
    ASSERT_FALSE(opened.has_value()) << name;
    EXPECT_EQ(opened.error().status, Status::kUnsupported);
    EXPECT_TRUE(contains(opened.error().detail, name) && contains(opened.error().detail, "store format 2"))
        << opened.error().detail;
    EXPECT_EQ(medium.blobs, before);
  }
}

TEST_F(DamagedStore, RefusesASingleRecordOfANewerFormat) {
  make_newer(blob(record_name(victim_)));
  open();
  expect_victim_refused("store format 2");
}

TEST_F(DamagedStore, IgnoresFilesThatAreNotItsOwn) {
  for (const char* name :
       {"README", "k-", "k-1", "k-0000000g", "k-000000001", "K-00000001", "k-00000000", "lost+found"}) {
    medium.blobs[name] = {std::byte{1}};
  }
  const auto before = medium.blobs.size();
  open();
  expect_all_is_well();
  EXPECT_EQ(medium.blobs.size(), before + 1);
}

TEST_F(DamagedStore, OnAReadOnlyMediumServesWhatNeedsNoWriting) {
  medium.failing = true;
  open();
  EXPECT_TRUE(warns_of("can't be reserved"));
  EXPECT_EQ(bytes_of(active(victim_)->aes_key()), secret_);
  EXPECT_TRUE(active(other_)->mlkem_private());
  EXPECT_EQ(status_of(active(victim_)->count_use()), Status::kStorageError);
  EXPECT_EQ(status_of(store->generate("alice", 1, aes())), Status::kStorageError);
  EXPECT_EQ(status_of(store->remove("alice", 1, victim_, 0)), Status::kStorageError);
  EXPECT_EQ(found(victim_), Status::kSuccess);
  close();
  EXPECT_EQ(medium.blobs, whole_);
}

TEST(NewStore, ThatCannotBeWrittenIsRefusedAndTriedAgain) {
  StoreBed bed;
  bed.medium.failing = true;
  EXPECT_EQ(status_of(bed.try_open()), Status::kStorageError);
  bed.medium.failing = false;
  bed.open();
  bed.generate(aes());
}

TEST(NewStore, MayFindTheRestsOfAnAttemptThatEndedBeforeItsHeader) {
  StoreBed first, second;
  first.open();
  second.medium.blobs["index-a"] = first.blob("index-a");
  second.open();
  second.generate(aes());
  EXPECT_TRUE(second.store->warnings().empty());
}

}  // namespace
}  // namespace wvds::keystore
