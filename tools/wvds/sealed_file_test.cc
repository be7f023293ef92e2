#include "tools/wvds/sealed_file.h"

#include <gtest/gtest.h>

#include <vector>

#include "wvds_crypto.h"

namespace wvds::tool {
namespace {

std::vector<uint8_t> example(size_t data_size) {
  const SealedHeader header = sealed_header(0x01020304);
  std::vector<uint8_t> file(header.begin(), header.end());
  file.resize(header.size() + WVDS_AES_OVERHEAD + data_size, 0xEE);
  return file;
}

}  // namespace

// The offsets are published in docs/envelope.md.
TEST(SealedFile, HasTheDocumentedHeader) {
  EXPECT_EQ(sealed_header(0x01020304), (SealedHeader{'W', 'V', 'D', 'S', '1', 1, 0, 0, 4, 3, 2, 1}));
}

TEST(SealedFile, ParsesWhatWasWritten) {
  const auto bytes = example(3);
  const auto file = parse_sealed_file(bytes);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->key_id, 0x01020304u);
  EXPECT_EQ(file->header.data(), bytes.data());
  EXPECT_EQ(file->header.size(), 12u);
  EXPECT_EQ(file->sealed.data(), bytes.data() + 12);
  EXPECT_EQ(file->sealed.size(), WVDS_AES_OVERHEAD + 3);
}

TEST(SealedFile, RefusesWhatIsShorterThanAnEmptyOne) {
  const auto bytes = example(0);
  EXPECT_TRUE(parse_sealed_file(bytes));
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<uint8_t> exact(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_FALSE(parse_sealed_file(exact)) << length;
  }
}

TEST(SealedFile, RefusesAnotherMagicAlgorithmOrReservedValue) {
  for (size_t at = 0; at < 8; ++at) {
    auto bytes = example(1);
    bytes[at] ^= 0x80;
    EXPECT_FALSE(parse_sealed_file(bytes)) << at;
  }
}

}  // namespace wvds::tool
