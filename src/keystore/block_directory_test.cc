#include "keystore/block_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crypto/kdf.h"
#include "keystore/medium.h"
#include "keystore/testing/test_library.h"

namespace wvds::keystore {
namespace {

using testing::library;

using Blob = std::vector<std::byte>;

// The smallest medium has one block for each copy of the directory; blobs begin at block 2.
BlockDirectory sample() {
  BlockDirectory directory{.sequence = 7, .layout = {kMinBlocks}};
  directory.blobs["header-a"] = {.size = 256, .extents = {{2, 1}}};
  directory.blobs["k-00000001"] = {.size = 9000, .extents = {{3, 1}, {6, 2}}};
  return directory;
}

// with_checksum completes what a test made by hand, so that nothing but the content is wrong with it.
Blob with_checksum(Blob content) {
  const auto checksum = crypto::sha256(library(), content).value();
  content.insert(content.end(), checksum.begin(), checksum.end());
  return content;
}

void put(Blob& copy, size_t offset, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) copy[offset + i] = static_cast<std::byte>(value >> 8 * i);
}

TEST(BlockDirectory, LiesOnTheDeviceAsTheFormatSays) {
  Blob expected(32);
  copy_bytes(as_bytes("WvdSDisk"), expected);
  put(expected, 8, 1, 1);    // version
  put(expected, 16, 7, 8);   // sequence number
  put(expected, 24, 16, 4);  // blocks
  put(expected, 28, 2, 4);   // blobs
  const auto add = [&expected](std::string_view name, std::initializer_list<uint32_t> numbers) {
    expected.push_back(static_cast<std::byte>(name.size()));
    const Bytes text = as_bytes(name);
    expected.insert(expected.end(), text.begin(), text.end());
    for (const uint32_t number : numbers) {
      expected.resize(expected.size() + 4);
      put(expected, expected.size() - 4, number, 4);
    }
  };
  add("header-a", {256, 1, 2, 1});
  add("k-00000001", {9000, 2, 3, 1, 6, 2});
  put(expected, 12, expected.size() + 32, 4);  // size in all
  EXPECT_EQ(sample().encode(library()).value(), with_checksum(expected));
}

TEST(BlockDirectory, IsReadAsItWasWritten) {
  Blob copy = sample().encode(library()).value();
  copy.resize(kBlockSize);
  const auto decoded = BlockDirectory::decode(library(), copy);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().detail;
  EXPECT_EQ(decoded->sequence, 7u);
  EXPECT_EQ(decoded->layout.blocks, kMinBlocks);
  EXPECT_EQ(decoded->blobs, sample().blobs);
}

TEST(BlockDirectory, RefusesEveryFlippedByteAndEveryCut) {
  const Blob good = sample().encode(library()).value();
  for (size_t i = 0; i < good.size(); ++i) {
    Blob bad = good;
    bad[i] ^= std::byte{0x10};
    const auto refused = BlockDirectory::decode(library(), bad);
    ASSERT_FALSE(refused.has_value()) << i;
    EXPECT_EQ(refused.error().status, Status::kStorageError);
    EXPECT_FALSE(BlockDirectory::decode(library(), Bytes(good).first(i))) << i;
  }
}

// The encoder writes what it is given; the checksum is right, the content is not.
Status refused(const std::function<void(BlockDirectory&)>& change) {
  BlockDirectory directory = sample();
  change(directory);
  const auto decoded = BlockDirectory::decode(library(), directory.encode(library()).value());
  return decoded ? Status::kSuccess : decoded.error().status;
}

TEST(BlockDirectory, RefusesPlacesThatAreNotABlobsOwn) {
  const auto with_extents = [](std::vector<Extent> extents, uint32_t size) {
    return refused([&](BlockDirectory& directory) { directory.blobs["k-00000001"] = {size, extents}; });
  };
  EXPECT_EQ(with_extents({{3, 1}, {6, 2}}, 9000), Status::kSuccess);
  EXPECT_EQ(with_extents({{15, 1}}, 10), Status::kSuccess);
  EXPECT_EQ(with_extents({{2, 1}}, 10), Status::kStorageError) << "another blob's";
  EXPECT_EQ(with_extents({{3, 2}, {4, 1}}, 9000), Status::kStorageError) << "twice";
  EXPECT_EQ(with_extents({{1, 1}}, 10), Status::kStorageError) << "the directory's";
  EXPECT_EQ(with_extents({{16, 1}}, 10), Status::kStorageError) << "behind the end";
  EXPECT_EQ(with_extents({{15, 2}}, 5000), Status::kStorageError) << "over the end";
  EXPECT_EQ(with_extents({{0xffffffff, 2}}, 5000), Status::kStorageError);
  EXPECT_EQ(with_extents({{3, 0xffffffff}}, 5000), Status::kStorageError);
  EXPECT_EQ(with_extents({{3, 1}, {5, 0}}, 10), Status::kStorageError) << "none";
}

TEST(BlockDirectory, RefusesSizesThatDoNotFitTheBlocks) {
  const auto with_size = [](uint32_t size, std::vector<Extent> extents) {
    return refused([&](BlockDirectory& directory) { directory.blobs["k-00000001"] = {size, extents}; });
  };
  EXPECT_EQ(with_size(0, {{3, 1}}), Status::kSuccess);
  EXPECT_EQ(with_size(0, {}), Status::kStorageError);
  EXPECT_EQ(with_size(4096, {{3, 1}}), Status::kSuccess);
  EXPECT_EQ(with_size(4097, {{3, 1}}), Status::kStorageError);
  EXPECT_EQ(with_size(4096, {{3, 2}}), Status::kStorageError);
  EXPECT_EQ(with_size(0xffffffff, {{3, 1}}), Status::kStorageError);
}

TEST(BlockDirectory, RefusesABlobAboveTheLimit) {
  const auto with_size = [](uint32_t size) {
    return refused([&](BlockDirectory& directory) {
      directory.layout.blocks = 32768;
      directory.blobs.clear();
      directory.blobs["a"] = {size, {{directory.layout.first_blob(), blocks_of(size)}}};
    });
  };
  EXPECT_EQ(with_size(kMaxBlobSize), Status::kSuccess);
  EXPECT_EQ(with_size(kMaxBlobSize + 1), Status::kStorageError);
}

TEST(BlockDirectory, RefusesNamesThatNoProgramWrites) {
  const auto with_name = [](std::string name) {
    return refused([&](BlockDirectory& directory) { directory.blobs[name] = {.size = 1, .extents = {{10, 1}}}; });
  };
  EXPECT_EQ(with_name(std::string(31, 'x')), Status::kSuccess);
  EXPECT_EQ(with_name(std::string(32, 'x')), Status::kStorageError);
  EXPECT_EQ(with_name(""), Status::kStorageError);
  EXPECT_EQ(with_name("a/b"), Status::kStorageError);
  EXPECT_EQ(with_name("a b"), Status::kStorageError);
  EXPECT_EQ(with_name(std::string("a\0b", 3)), Status::kStorageError);
}

TEST(BlockDirectory, RefusesANameThatIsThereTwiceOrOutOfOrder) {
  BlockDirectory directory{.sequence = 1, .layout = {kMinBlocks}};
  directory.blobs["a"] = {.size = 1, .extents = {{2, 1}}};
  directory.blobs["b"] = {.size = 1, .extents = {{3, 1}}};
  Blob copy = directory.encode(library()).value();
  copy.resize(copy.size() - 32);
  constexpr size_t kFirstName = 32 + 1;
  ASSERT_EQ(copy[kFirstName], std::byte{'a'});
  for (const char name : {'b', 'c'}) {
    copy[kFirstName] = static_cast<std::byte>(name);
    EXPECT_FALSE(BlockDirectory::decode(library(), with_checksum(copy))) << name;
  }
}

TEST(BlockDirectory, RefusesNumbersThatNoProgramWrites) {
  EXPECT_EQ(refused([](BlockDirectory& directory) { directory.sequence = 0; }), Status::kStorageError);
  EXPECT_EQ(refused([](BlockDirectory& directory) { directory.layout.blocks = kMinBlocks - 1; }),
            Status::kStorageError);
  EXPECT_EQ(refused([](BlockDirectory& directory) { directory.layout.blocks = kMaxBlocks + 1; }),
            Status::kStorageError);
  BlockDirectory last = sample();
  last.sequence = uint64_t{1} << 63;
  EXPECT_EQ(last.encode(library()).error().status, Status::kStorageError);
}

// with_field changes a number of the head and makes the checksum right again.
Result<BlockDirectory> with_field(size_t offset, uint64_t value, size_t width) {
  Blob copy = sample().encode(library()).value();
  copy.resize(copy.size() - 32);
  put(copy, offset, value, width);
  return BlockDirectory::decode(library(), with_checksum(copy));
}

TEST(BlockDirectory, RefusesCountsThatItsSizeDoesNotBear) {
  constexpr size_t kBlobs = 28, kFirstExtents = 32 + 1 + 8 + 4;
  EXPECT_TRUE(with_field(kBlobs, 2, 4).has_value());
  EXPECT_TRUE(with_field(kFirstExtents, 1, 4).has_value());
  for (const uint64_t count : {uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{0xffffffff}})
    EXPECT_FALSE(with_field(kBlobs, count, 4)) << count;
  for (const uint64_t count : {uint64_t{0}, uint64_t{2}, uint64_t{0xffffffff}})
    EXPECT_FALSE(with_field(kFirstExtents, count, 4)) << count;
  EXPECT_EQ(with_field(16, uint64_t{1} << 63, 8).error().status, Status::kStorageError);
}

TEST(BlockDirectory, KnowsWhatANewerProgramWrote) {
  EXPECT_EQ(with_field(8, 2, 1).error().status, Status::kUnsupported);
  EXPECT_EQ(with_field(9, 1, 1).error().status, Status::kUnsupported);
  EXPECT_EQ(with_field(10, 1, 2).error().status, Status::kUnsupported);
}

TEST(BlockDirectory, FitsItsPlaceWhenEveryBlockHasABlobWithTheLongestName) {
  for (const uint32_t blocks : {kMinBlocks, 63u, 64u, 65u, 127u, 128u, 1000u, 20000u}) {
    BlockDirectory directory{.sequence = 1, .layout = {blocks}};
    for (uint32_t block = directory.layout.first_blob(); block < blocks; ++block) {
      std::string name = std::to_string(block);
      name.resize(kMaxBlobName, '-');
      directory.blobs[name] = {.size = 1, .extents = {{block, 1}}};
    }
    const Blob copy = directory.encode(library()).value();
    EXPECT_LE(copy.size(), directory.layout.copy_size()) << blocks;
    EXPECT_TRUE(BlockDirectory::decode(library(), copy)) << blocks;
  }
}

TEST(BlockDirectoryAllocate, TakesTheFirstFreeBlocksInAsFewPiecesAsTheyAre) {
  const auto place = sample().allocate(5 * kBlockSize - 1);
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->size, 5 * kBlockSize - 1);
  EXPECT_EQ(place->extents, (std::vector<Extent>{{4, 2}, {8, 3}}));
  EXPECT_EQ(sample().allocate(0)->extents, (std::vector<Extent>{{4, 1}}));
}

TEST(BlockDirectoryAllocate, GivesAllThatIsFreeAndNoMore) {
  const BlockDirectory directory = sample();
  ASSERT_EQ(directory.free_blocks(), 16u - 2 - 4);
  EXPECT_TRUE(directory.allocate(10 * kBlockSize));
  EXPECT_FALSE(directory.allocate(10 * kBlockSize + 1));
}

}  // namespace
}  // namespace wvds::keystore
