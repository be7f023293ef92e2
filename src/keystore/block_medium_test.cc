#include "keystore/block_medium.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/kdf.h"
#include "keystore/block_directory.h"
#include "keystore/testing/test_library.h"
#include "platform/ram_block_device.h"
#include "platform/testing/fake_block_device.h"

namespace wvds::keystore {
namespace {

using platform::FlushPoint;
using platform::kSectorSize;
using platform::RamBlockDevice;
using platform::testing::BlockFaults;
using platform::testing::FakeBlockDevice;
using platform::testing::FakePlatter;
using testing::library;

using Blob = std::vector<std::byte>;
using Image = std::vector<std::byte>;

constexpr size_t kBlocks = 128;  // a directory has 3 of them
constexpr size_t kSecondCopy = 3 * kBlockSize;

Result<> format(Image& image) {
  RamBlockDevice device("disk", image);
  return format_block_medium(device, library());
}

Result<bool> is_blank(Image& image) {
  RamBlockDevice device("disk", image);
  return is_blank_block_device(device, library());
}

Result<std::unique_ptr<Medium>> open(Image& image) {
  return open_block_medium(std::make_unique<RamBlockDevice>("disk", image), library());
}

Image formatted(size_t blocks = kBlocks) {
  Image image(blocks * kBlockSize);
  EXPECT_TRUE(format(image));
  return image;
}

// with_blobs has "a" with 5000 bytes of value 1, and "b" with 100 of value 2.
Image with_blobs() {
  Image image = formatted();
  auto medium = open(image).value();
  EXPECT_TRUE(medium->replace("a", Blob(5000, std::byte{1})));
  EXPECT_TRUE(medium->replace("b", Blob(100, std::byte{2})));
  return image;
}

// expect_blobs: the image opens and has what with_blobs made.
void expect_blobs(Image& image) {
  auto medium = open(image);
  ASSERT_TRUE(medium.has_value()) << medium.error().detail;
  EXPECT_EQ((*medium)->list().value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((*medium)->read("a").value(), Blob(5000, std::byte{1}));
  EXPECT_EQ((*medium)->read("b").value(), Blob(100, std::byte{2}));
}

void expect_refused(Image& image, std::string_view why, Status status = Status::kStorageError) {
  const Image before = image;
  const auto refused = open(image);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, status);
  EXPECT_NE(refused.error().detail.find("disk"), std::string::npos) << refused.error().detail;
  EXPECT_NE(refused.error().detail.find(why), std::string::npos) << refused.error().detail;
  EXPECT_EQ(image, before) << "a refused device is left as it is";
}

void spoil(Image& image, size_t offset) { image[offset] ^= std::byte{1}; }

TEST(FormatBlockMedium, MakesAnEmptyMediumOfABlankDevice) {
  for (const std::byte value : {std::byte{0}, std::byte{0xff}}) {
    Image image(kBlocks * kBlockSize, value);
    EXPECT_TRUE(is_blank(image).value());
    expect_refused(image, "it is blank");
    ASSERT_TRUE(format(image));
    EXPECT_FALSE(is_blank(image).value());
    EXPECT_TRUE(open(image).value()->list().value().empty());
  }
}

TEST(FormatBlockMedium, RefusesADeviceThatHoldsAnything) {
  Image used = with_blobs();
  Image damaged = used;
  spoil(damaged, 40);
  spoil(damaged, kSecondCopy + 40);
  Image with_partitions(kBlocks * kBlockSize);
  with_partitions[510] = std::byte{0x55};
  with_partitions[511] = std::byte{0xaa};
  Image with_files(kBlocks * kBlockSize);
  with_files[kSecondCopy + kBlockSize + 64] = std::byte{1};
  for (Image* image : {&used, &damaged, &with_partitions, &with_files}) {
    const Image before = *image;
    EXPECT_FALSE(is_blank(*image).value());
    const auto refused = format(*image);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().status, Status::kStorageError);
    EXPECT_NE(refused.error().detail.find("disk: not blank"), std::string::npos) << refused.error().detail;
    EXPECT_EQ(*image, before);
  }
}

TEST(FormatBlockMedium, GoesOnWhereAPowerCutInterruptedIt) {
  Image image(kBlocks * kBlockSize);
  std::fill_n(image.begin() + kSecondCopy + 10, 500, std::byte{0xa5});
  EXPECT_TRUE(is_blank(image).value());
  ASSERT_TRUE(format(image));
  EXPECT_TRUE(open(image));
}

TEST(FormatBlockMedium, RefusesADeviceThatIsTooSmall) {
  Image image(kMinBlocks * kBlockSize - 1);
  expect_refused(image, "too small");
  const auto refused = format(image);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("disk: too small"), std::string::npos) << refused.error().detail;
  Image enough(kMinBlocks * kBlockSize);
  EXPECT_TRUE(format(enough));
  EXPECT_TRUE(open(enough));
}

TEST(BlockMedium, RefusesWhatIsNoKeyStore) {
  Image image(kBlocks * kBlockSize, std::byte{0x37});
  expect_refused(image, "no key store can be read");
}

TEST(BlockMedium, LivesOnWithEitherCopyOfTheDirectoryAndPutsTheOtherRight) {
  const Image good = with_blobs();
  for (const size_t copy : {size_t{0}, kSecondCopy}) {
    for (const size_t at : {0, 8, 12, 13, 15, 16, 24, 28, 33, 99}) {
      Image image = good;
      spoil(image, copy + at);
      expect_blobs(image);
      EXPECT_EQ(image, good) << "byte " << at << " was not put right";
    }
  }
}

TEST(BlockMedium, RefusesADeviceWithBothCopiesDamaged) {
  Image image = with_blobs();
  spoil(image, 40);
  spoil(image, kSecondCopy + 40);
  expect_refused(image, "no key store can be read");
}

TEST(BlockMedium, TakesTheNewerCopyAndNotTheOlder) {
  Image image = with_blobs();
  const Image before = image;
  ASSERT_TRUE(open(image).value()->remove("b"));
  Image second_is_older = image;
  std::copy_n(before.begin() + kSecondCopy, kBlockSize, second_is_older.begin() + kSecondCopy);
  EXPECT_EQ(open(second_is_older).value()->list().value(), std::vector<std::string>{"a"});
  EXPECT_EQ(second_is_older, image);
  Image first_is_older = image;
  std::copy_n(before.begin(), kBlockSize, first_is_older.begin());
  EXPECT_EQ(open(first_is_older).value()->list().value(), std::vector<std::string>{"a"});
  EXPECT_EQ(first_is_older, image);
}

// put_directory writes a directory as both copies.
void put_directory(Image& image, const BlockDirectory& directory) {
  const Blob copy = directory.encode(library()).value();
  std::ranges::copy(copy, image.begin());
  std::ranges::copy(copy, image.begin() + directory.layout.second_copy() * kBlockSize);
}

TEST(BlockMedium, RefusesADeviceThatHasBecomeSmaller) {
  Image image = with_blobs();
  image.resize(image.size() - kBlockSize);
  expect_refused(image, "made for 128 blocks; the device has 127");
}

TEST(BlockMedium, GoesOnOnADeviceThatHasGrown) {
  Image image = with_blobs();
  image.resize(3 * image.size());
  expect_blobs(image);
  ASSERT_TRUE(open(image).value()->replace("b", Blob(100, std::byte{2})));
  expect_blobs(image);
}

TEST(BlockMedium, NeverGoesBehindTheEndWhateverTheDirectorySays) {
  Image image = formatted();
  BlockDirectory directory{.sequence = 5, .layout = {kBlocks + 1}};
  directory.blobs["a"] = {.size = 10, .extents = {{kBlocks, 1}}};
  put_directory(image, directory);
  expect_refused(image, "made for 129 blocks");
  directory.layout.blocks = kBlocks;
  put_directory(image, directory);
  expect_refused(image, "blocks are not its own");
}

TEST(BlockMedium, LeavesAStoreOfANewerProgramAlone) {
  for (const bool second_only : {false, true}) {
    Image image = with_blobs();
    const size_t copy = second_only ? kSecondCopy : 0;
    const size_t size = directory_size(Bytes(image).subspan(copy));
    image[copy + 8] = std::byte{2};
    const auto checksum = crypto::sha256(library(), Bytes(image).subspan(copy, size - 32)).value();
    copy_bytes(checksum, MutableBytes(image).subspan(copy + size - 32, 32));
    expect_refused(image, "written in sector format 2", Status::kUnsupported);
    EXPECT_FALSE(format(image));
  }
}

TEST(BlockMedium, RefusesNamesAndSizesThatItCanNotKeep) {
  Image image = formatted();
  auto medium = open(image).value();
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(kMaxBlobName + 1, 'a')}) {
    EXPECT_EQ(medium->replace(name, Blob(1)).error().status, Status::kStorageError) << name;
    EXPECT_EQ(medium->read(name).error().status, Status::kKeyNotFound) << name;
    EXPECT_TRUE(medium->remove(name)) << name;
  }
  const auto too_large = medium->replace("a", Blob(kMaxBlobSize + 1));
  ASSERT_FALSE(too_large.has_value());
  EXPECT_NE(too_large.error().detail.find("too many"), std::string::npos) << too_large.error().detail;
  EXPECT_TRUE(medium->list().value().empty());
}

TEST(BlockMedium, KeepsTheLargestBlob) {
  Image image = formatted(17000);
  Blob blob(kMaxBlobSize);
  blob.front() = blob.back() = std::byte{9};
  ASSERT_TRUE(open(image).value()->replace("a", blob));
  EXPECT_TRUE(open(image).value()->read("a").value() == blob);
}

TEST(BlockMedium, FindsRoomInThePiecesThatRemovedBlobsLeft) {
  Image image = formatted();
  auto medium = open(image).value();
  int count = 0;
  while (medium->replace("k-" + std::to_string(count), Blob(1, static_cast<std::byte>(count)))) ++count;
  ASSERT_EQ(count, 128 - 6) << "every block is used";
  for (int i = 0; i < count; i += 2) ASSERT_TRUE(medium->remove("k-" + std::to_string(i)));
  const Blob large(61 * kBlockSize, std::byte{5});
  ASSERT_TRUE(medium->replace("index-a", large));
  EXPECT_EQ(medium->replace("x", Blob(1)).error().status, Status::kStorageError);
  medium = open(image).value();
  EXPECT_EQ(medium->read("index-a").value(), large);
  for (int i = 1; i < count; i += 2) {
    EXPECT_EQ(medium->read("k-" + std::to_string(i)).value(), Blob(1, static_cast<std::byte>(i)));
  }
}

// The steps of a replacement in which nothing else is to be done.
enum Step : size_t { kBlobStep, kContentFlush, kFirstCopyStep, kDirectoryFlush, kSecondCopyStep, kSteps };

class FailingStep : public ::testing::Test {
 protected:
  FailingStep() : platter_(kMinBlocks * kBlockSize / kSectorSize) {
    FakeBlockDevice device("device", platter_, faults_);
    EXPECT_TRUE(format_block_medium(device, library()));
    medium_ = open_block_medium(std::make_unique<FakeBlockDevice>("device", platter_, faults_), library()).value();
    EXPECT_TRUE(medium_->replace("a", Blob(10, std::byte{1})));
  }

  Result<> replace_failing_at(Step step) {
    faults_.fail_at = faults_.steps + step;
    return medium_->replace("a", Blob(10, std::byte{2}));
  }

  FakePlatter platter_;
  BlockFaults faults_;
  std::unique_ptr<Medium> medium_;
};

TEST_F(FailingStep, LeavesTheFormerBlobAndGoesOnBeforeTheDirectoryIsTouched) {
  for (const Step step : {kBlobStep, kContentFlush}) {
    const auto failed = replace_failing_at(step);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().status, Status::kStorageError);
    EXPECT_TRUE(failed.error().detail.starts_with("a: device: ")) << failed.error().detail;
    EXPECT_EQ(medium_->read("a").value(), Blob(10, std::byte{1}));
    EXPECT_TRUE(medium_->replace("b", Blob(1))) << "step " << step;
  }
}

TEST_F(FailingStep, EndsAllChangesWhenTheDirectoryMayBeHalfWritten) {
  EXPECT_FALSE(replace_failing_at(kFirstCopyStep));
  const auto refused = medium_->replace("b", Blob(1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("no further changes"), std::string::npos) << refused.error().detail;
  EXPECT_EQ(medium_->read("a").value(), Blob(10, std::byte{1}));
}

TEST_F(FailingStep, MakesUpForASecondCopyThatCouldNotBeWritten) {
  ASSERT_TRUE(replace_failing_at(kSecondCopyStep)) << "the change is durable";
  EXPECT_EQ(medium_->read("a").value(), Blob(10, std::byte{2}));
  // While the second copy is not right, the first one must stay.
  faults_.fail_at = faults_.steps;
  EXPECT_FALSE(medium_->remove("a"));
  EXPECT_EQ(medium_->read("a").value(), Blob(10, std::byte{2}));
  ASSERT_TRUE(medium_->remove("a"));
  ASSERT_TRUE(medium_->replace("b", Blob(1)));
}

TEST_F(FailingStep, SaysThatABlobCanNotBeRead) {
  faults_.fail_at = faults_.steps;
  const auto failed = medium_->read("a");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().status, Status::kStorageError);
  EXPECT_TRUE(failed.error().detail.starts_with("a: device: ")) << failed.error().detail;
}

TEST_F(FailingStep, OnlyReadsWhereATornFirstCopyCanNotBePutRight) {
  medium_.reset();
  platter_.cached[0].reset();
  faults_.read_only = true;
  auto opened = open_block_medium(std::make_unique<FakeBlockDevice>("device", platter_, faults_), library());
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  EXPECT_EQ((*opened)->read("a").value(), Blob(10, std::byte{1}));
  faults_.read_only = false;
  const auto refused = (*opened)->replace("b", Blob(1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("no further changes"), std::string::npos) << refused.error().detail;
}

TEST_F(FailingStep, OpensOnlyWhenWhatItShowsIsDurable) {
  medium_.reset();
  faults_.failing_flush = FlushPoint::kOpened;
  const auto refused = open_block_medium(std::make_unique<FakeBlockDevice>("device", platter_, faults_), library());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kStorageError);
}

TEST_F(FailingStep, TakesFiveStepsForAChange) {
  const size_t before = faults_.steps;
  ASSERT_TRUE(medium_->replace("a", Blob(10)));
  EXPECT_EQ(faults_.steps - before, kSteps);
}

}  // namespace
}  // namespace wvds::keystore
