#include "keystore/store_inspect.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/kdf.h"
#include "keystore/store_files.h"
#include "keystore/testing/key_world.h"

namespace wvds::keystore {
namespace {

using testing::choice_of;
using testing::library;
using testing::MemoryMedium;
using testing::spec_of;
using testing::StoreBed;

// A store with a key of each kind, closed.
class Inspection : public ::testing::Test, public StoreBed {
 protected:
  void SetUp() override {
    open();
    for (const Algorithm algorithm : {Algorithm::kAes256Gcm, Algorithm::kMlDsa44, Algorithm::kMlKem512})
      generate(spec_of(algorithm));
    ASSERT_TRUE(store->rotate("alice", 1, 1));
    close();
    whole_ = medium.blobs;
  }

  StoreInspection inspect() {
    const auto before = medium.blobs;
    auto opened = open_store(medium, library(), choice_of({protector.get()}));
    EXPECT_TRUE(opened.has_value()) << opened.error().detail;
    auto found = inspect_store(medium, library(), *opened);
    EXPECT_TRUE(found.has_value());
    EXPECT_EQ(medium.blobs, before) << "looking changes nothing";
    return *found;
  }

  // The one fault, as "name: what".
  std::string fault() {
    const auto found = inspect();
    EXPECT_EQ(found.faults.size(), 1u);
    return found.faults.empty() ? "" : found.faults.front().name + ": " + found.faults.front().what;
  }

  void expect_fault(const std::string& name, std::string_view part) {
    const std::string text = fault();
    EXPECT_TRUE(text.starts_with(name + ": ")) << text;
    EXPECT_NE(text.find(part), std::string::npos) << text;
    medium.blobs = whole_;
  }

  // Writes a record anew, as the store's own code would.
  void rewrite(uint32_t id, const std::function<void(RecordFields&, std::vector<std::byte>&)>& edit) {
    auto opened = open_store(medium, library(), choice_of({protector.get()})).value();
    auto files = StoreFiles::with_key(medium, library(), opened.id(), std::move(opened.key)).value();
    auto record = files->open_record(id, files->read_record_blob(id).value()).value();
    auto secrets = testing::bytes_of(record.secrets.expose());
    edit(record.fields, secrets);
    ASSERT_TRUE(files->write_record(record.fields, secrets));
  }

  MemoryMedium::Blobs whole_;
};

TEST_F(Inspection, OfAWholeStoreFindsNothingAndCounts) {
  const auto found = inspect();
  EXPECT_TRUE(found.all_is_well());
  EXPECT_EQ(found.records, 3u);
  EXPECT_EQ(found.versions, 4u);
}

TEST_F(Inspection, OfAStoreWhoseServiceWasKilledFindsNothing) {
  open();
  generate(spec_of(Algorithm::kMlKem768));
  ASSERT_TRUE(store->rotate("alice", 1, 2));
  crash();
  const auto found = inspect();
  EXPECT_TRUE(found.all_is_well()) << found.faults.front().name << found.faults.front().what;
  EXPECT_EQ(found.records, 4u);
}

TEST_F(Inspection, FindsNothingAfterTheNextServiceUsedAKeyWhoseRecordWasNewerThanTheIndex) {
  open();
  ASSERT_TRUE(store->rotate("alice", 1, 1));
  crash();
  open();
  ASSERT_TRUE(store->find("alice", 1, 1));
  const uint64_t held = store->holdings("alice").value().store_bytes;
  close();
  EXPECT_TRUE(inspect().all_is_well());
  uint64_t bytes = 0;
  for (const auto& [name, blob] : medium.blobs) bytes += name.starts_with("k-") ? blob.size() : 0;
  EXPECT_EQ(held, bytes);
}

TEST_F(Inspection, NamesEachDamagedBlobWhereverItIsDamaged) {
  for (const auto& [name, content] : whole_) {
    for (const size_t at : {size_t{0}, size_t{30}, content.size() / 2, content.size() - 1}) {
      blob(name)[at] ^= std::byte{0x10};
      expect_fault(name, "");
    }
    blob(name).resize(content.size() - 1);
    expect_fault(name, "damaged");
  }
}

TEST_F(Inspection, NamesEachMissingBlob) {
  for (const auto& [name, content] : whole_) {
    medium.blobs.erase(name);
    expect_fault(name, "missing");
  }
}

TEST_F(Inspection, NamesARecordInAnothersPlace) {
  blob("k-00000002") = whole_.at("k-00000003");
  expect_fault("k-00000002", "not authentic");
}

TEST_F(Inspection, NamesARecordOfAnotherStore) {
  StoreBed foreign;
  foreign.open();
  foreign.generate(spec_of(Algorithm::kAes256Gcm));
  foreign.close();
  blob("k-00000001") = foreign.blob("k-00000001");
  expect_fault("k-00000001", "another store");
}

TEST_F(Inspection, NamesARecordThatWasPutBack) {
  open();
  ASSERT_TRUE(store->rotate("alice", 1, 1));
  ASSERT_TRUE(store->remove("alice", 1, 3, 0));
  close();
  const auto before = whole_;
  whole_ = medium.blobs;
  blob("k-00000001") = before.at("k-00000001");
  expect_fault("k-00000001", "older copy");
  medium.blobs["k-00000003"] = before.at("k-00000003");
  expect_fault("k-00000003", "deleted");
}

TEST_F(Inspection, NamesARecordThatDisagreesWithTheIndex) {
  rewrite(1, [](RecordFields& fields, auto&) { fields.owner = "bob"; });
  expect_fault("k-00000001", "another owner");
  rewrite(1, [](RecordFields& fields, auto&) { fields.spec.label += "!"; });
  expect_fault("k-00000001", "another size");
}

TEST_F(Inspection, NamesAKeyWhoseSecretIsNotThatOfItsPublicKey) {
  for (const uint32_t id : {2u, 3u}) {
    rewrite(id, [](RecordFields&, auto& secrets) { secrets[0] ^= std::byte{1}; });
    expect_fault(record_name(id), "its secret is not that of its public key");
  }
}

TEST_F(Inspection, NamesAHalfDoneChangeOfTheProtector) {
  const auto next = make_memory_protector();
  auto opened = open_store(medium, library(), choice_of({protector.get()})).value();
  static_cast<void>(rewrap_store(medium, opened, {.library = library(), .next = *next, .between = [] {
                                                    return Result<>(fail(Status::kStorageError, "cut"));
                                                  }}));
  expect_fault("header-a", "interrupted");
}

TEST_F(Inspection, FindsAllFaultsAtOnceAndCountsTheGoodKeys) {
  medium.blobs.erase("index-a");
  blob("header-b")[70] ^= std::byte{1};
  blob("k-00000002")[70] ^= std::byte{1};
  const auto found = inspect();
  ASSERT_EQ(found.faults.size(), 3u);
  EXPECT_EQ(found.records, 3u);
  EXPECT_EQ(found.versions, 3u);
}

TEST_F(Inspection, OfRecordsGoesOnWithoutAnIndex) {
  medium.blobs.erase("index-a");
  medium.blobs.erase("index-b");
  const auto found = inspect();
  EXPECT_EQ(found.faults.size(), 2u);
  EXPECT_EQ(found.versions, 4u);
}

}  // namespace
}  // namespace wvds::keystore
