#include "keystore/medium.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "keystore/block_directory.h"
#include "keystore/block_medium.h"
#include "keystore/folder_medium.h"
#include "keystore/testing/test_library.h"
#include "platform/ram_block_device.h"
#include "platform/testing/fake_block_device.h"
#include "platform/testing/fake_disk.h"

// What every durable medium promises, whatever lies below it.
namespace wvds::keystore {
namespace {

using platform::testing::BlockFaults;
using platform::testing::FakeBlockDevice;
using platform::testing::FakeDisk;
using platform::testing::FakePlatter;
using platform::testing::FakeVolume;
using platform::testing::Faults;
using testing::library;

using Blob = std::vector<std::byte>;

// Ground is what a medium stands on, and what can be done to it.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual std::unique_ptr<Medium> open() = 0;
  virtual void fail_last_sync(bool failing) = 0;
  virtual void refuse_writes(bool refused) = 0;
  virtual void fill() = 0;
  virtual void lose_power() = 0;  // and what was not made durable; no medium is open
};

class Folder : public Ground {
 public:
  std::unique_ptr<Medium> open() override {
    return open_folder_medium(std::make_unique<FakeDisk>("folder", volume_, faults_)).value();
  }
  void fail_last_sync(bool failing) override {
    faults_.failing_sync.reset();
    if (failing) faults_.failing_sync = platform::SyncPoint::kNewName;
  }
  void refuse_writes(bool refused) override { faults_.read_only = refused; }
  void fill() override { faults_.full_from = faults_.steps; }
  void lose_power() override { volume_ = platform::testing::after_power_cut(volume_, 1, 1).front(); }

 private:
  FakeVolume volume_;
  Faults faults_;
};

class RawSectors : public Ground {
 public:
  RawSectors() {
    FakeBlockDevice device("device", platter_, faults_);
    EXPECT_TRUE(format_block_medium(device, library()));
  }
  std::unique_ptr<Medium> open() override {
    return open_block_medium(std::make_unique<FakeBlockDevice>("device", platter_, faults_), library()).value();
  }
  void fail_last_sync(bool failing) override {
    faults_.failing_flush.reset();
    if (failing) faults_.failing_flush = platform::FlushPoint::kDirectory;
  }
  void refuse_writes(bool refused) override { faults_.read_only = refused; }
  void fill() override {
    const auto medium = open();
    for (int i = 0; medium->replace("filler-" + std::to_string(i), Blob(1)); ++i) ASSERT_LT(i, 1000);
  }
  void lose_power() override { platter_ = platform::testing::after_power_cut(platter_, 1, 1).front(); }

 private:
  FakePlatter platter_{640};
  BlockFaults faults_;
};

template <class Kind>
class AnyMedium : public ::testing::Test {
 protected:
  AnyMedium() : medium_(ground_.open()) {}

  void reopen() {
    medium_.reset();
    medium_ = ground_.open();
  }

  std::vector<std::string> names() {
    auto names = medium_->list().value();
    std::ranges::sort(names);
    return names;
  }

  static Blob blob(size_t size, int first = 1) {
    Blob out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(first + static_cast<int>(i % 251));
    return out;
  }

  Kind ground_;
  std::unique_ptr<Medium> medium_;
};

using Kinds = ::testing::Types<Folder, RawSectors>;
TYPED_TEST_SUITE(AnyMedium, Kinds);

TYPED_TEST(AnyMedium, BeginsEmpty) {
  EXPECT_TRUE(this->names().empty());
  const auto missing = this->medium_->read("header-a");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().status, Status::kKeyNotFound);
}

TYPED_TEST(AnyMedium, KeepsBlobsByTheirNames) {
  ASSERT_TRUE(this->medium_->replace("header-a", this->blob(300, 1)));
  ASSERT_TRUE(this->medium_->replace("k-0000000f", this->blob(200, 2)));
  EXPECT_EQ(this->names(), (std::vector<std::string>{"header-a", "k-0000000f"}));
  EXPECT_EQ(this->medium_->read("header-a").value(), this->blob(300, 1));
  EXPECT_EQ(this->medium_->read("k-0000000f").value(), this->blob(200, 2));
}

TYPED_TEST(AnyMedium, ReplacesShorterByLongerAndLongerByShorter) {
  for (const size_t size : {100, 20000, 5, 9000, 0, 4097}) {
    ASSERT_TRUE(this->medium_->replace("a", this->blob(size)));
    EXPECT_EQ(this->medium_->read("a").value(), this->blob(size));
    EXPECT_EQ(this->names(), std::vector<std::string>{"a"});
  }
}

TYPED_TEST(AnyMedium, KeepsBlobsOfEverySize) {
  const std::vector<size_t> sizes{0, 1, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 8193, 70000};
  for (const size_t size : sizes)
    ASSERT_TRUE(this->medium_->replace("s-" + std::to_string(size), this->blob(size, static_cast<int>(size % 5))));
  this->reopen();
  for (const size_t size : sizes) {
    EXPECT_EQ(this->medium_->read("s-" + std::to_string(size)).value(), this->blob(size, static_cast<int>(size % 5)));
  }
}

TYPED_TEST(AnyMedium, RemovesForGoodAndAlsoWhatIsNotThere) {
  ASSERT_TRUE(this->medium_->remove("a"));
  ASSERT_TRUE(this->medium_->replace("a", this->blob(10)));
  ASSERT_TRUE(this->medium_->remove("a"));
  EXPECT_EQ(this->medium_->read("a").error().status, Status::kKeyNotFound);
  this->reopen();
  EXPECT_TRUE(this->names().empty());
}

TYPED_TEST(AnyMedium, KeepsWhatItAcknowledgedOverAPowerCut) {
  ASSERT_TRUE(this->medium_->replace("a", this->blob(10, 1)));
  ASSERT_TRUE(this->medium_->replace("b", this->blob(5000, 2)));
  ASSERT_TRUE(this->medium_->replace("a", this->blob(20, 3)));
  ASSERT_TRUE(this->medium_->remove("b"));
  this->medium_.reset();
  this->ground_.lose_power();
  this->reopen();
  EXPECT_EQ(this->names(), std::vector<std::string>{"a"});
  EXPECT_EQ(this->medium_->read("a").value(), this->blob(20, 3));
}

TYPED_TEST(AnyMedium, LeavesTheFormerBlobWhenThereIsNoSpace) {
  ASSERT_TRUE(this->medium_->replace("a", this->blob(5000, 1)));
  this->medium_.reset();
  this->ground_.fill();
  this->reopen();
  const auto refused = this->medium_->replace("a", this->blob(5000, 2));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kStorageError);
  EXPECT_NE(refused.error().detail.find("no space left"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(this->medium_->read("a").value(), this->blob(5000, 1));
  EXPECT_TRUE(this->medium_->remove("a")) << "making room needs no room";
}

TYPED_TEST(AnyMedium, ReadsWhereNothingCanBeWritten) {
  ASSERT_TRUE(this->medium_->replace("a", this->blob(10)));
  this->medium_.reset();
  this->ground_.refuse_writes(true);
  this->reopen();
  EXPECT_EQ(this->medium_->read("a").value(), this->blob(10));
  EXPECT_EQ(this->medium_->replace("a", this->blob(11)).error().status, Status::kStorageError);
  EXPECT_EQ(this->medium_->remove("a").error().status, Status::kStorageError);
  EXPECT_EQ(this->medium_->read("a").value(), this->blob(10));
}

TYPED_TEST(AnyMedium, TakesNoFurtherChangeAfterTheLastSyncFailedUntilItIsOpenedAgain) {
  ASSERT_TRUE(this->medium_->replace("a", this->blob(10, 1)));
  this->ground_.fail_last_sync(true);
  EXPECT_EQ(this->medium_->replace("a", this->blob(10, 2)).error().status, Status::kStorageError);
  this->ground_.fail_last_sync(false);
  for (const auto& refused : {this->medium_->replace("b", this->blob(1)), this->medium_->remove("a")}) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().status, Status::kStorageError);
    EXPECT_NE(refused.error().detail.find("no further changes"), std::string::npos) << refused.error().detail;
  }
  EXPECT_TRUE(this->medium_->read("a")) << "reading goes on";
  this->reopen();
  const Blob found = this->medium_->read("a").value();
  EXPECT_TRUE(found == this->blob(10, 1) || found == this->blob(10, 2));
  EXPECT_TRUE(this->medium_->replace("b", this->blob(1)));
}

// As on L4Re, where a dataspace takes the place of a disk.
TEST(BlockMediumInRam, KeepsItsBlobsAsLongAsTheMemory) {
  std::vector<std::byte> memory(1 << 20);
  const auto device = [&] { return std::make_unique<platform::RamBlockDevice>("ram", memory); };
  ASSERT_TRUE(format_block_medium(*device(), library()));
  const Blob blob(100000, std::byte{7});
  {
    auto medium = open_block_medium(device(), library());
    ASSERT_TRUE(medium.has_value()) << medium.error().detail;
    ASSERT_TRUE((*medium)->replace("a", blob));
  }
  auto medium = open_block_medium(device(), library());
  ASSERT_TRUE(medium.has_value()) << medium.error().detail;
  EXPECT_EQ((*medium)->read("a").value(), blob);
}

}  // namespace
}  // namespace wvds::keystore
