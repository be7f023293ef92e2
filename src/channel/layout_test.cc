#include "channel/layout.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

namespace wvds::channel {
namespace {

// One page is more than the header; the rest of a region is not looked at.
class HeaderOf : public ::testing::Test {
 protected:
  explicit HeaderOf() : bytes_(kPageSize) { write_header(bytes_.data(), 8, 0x1122334455667788); }
  Result<RegionInfo> read() const { return read_header(bytes_.data(), region_size(8)); }
  std::vector<std::byte> bytes_;
};

using ReadHeader = HeaderOf;

TEST_F(ReadHeader, TakesWhatWriteHeaderWrote) {
  const auto info = read();
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->slot_count, 8u);
  EXPECT_EQ(info->epoch, 0x1122334455667788u);
}

// The bytes as docs/channel.md has them.
TEST_F(HeaderOf, IsWrittenAsDocumented) {
  const unsigned char expected[68] = {
      'W',  'v',  'd',  'S',  'C',  'H',  '0',  '1',                          // magic
      1,    0,    0,    0,    8,    0,    0,    0,                            // version, slot count
      0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,                         // epoch
      0x00, 0x30, 0x10, 0x00, 0,    0,    0,    0,                            // region size 1,060,864
      0x00, 0x10, 0,    0,    0x00, 0x20, 0,    0,                            // control, slots
      0x00, 0x01, 0x02, 0x00, 0,    0,    0,    0,                            // stride 131,328, request word
      8,    0,    0,    0,    0x08, 0x00, 0x01, 0x00,                         // request area, 65,544 bytes
      0x80, 0x00, 0x01, 0x00, 0x88, 0x00, 0x01, 0x00, 0x24, 0x00, 0x01, 0x00  // answer word, area, 65,572 bytes
  };
  EXPECT_EQ(std::memcmp(bytes_.data(), expected, sizeof expected), 0);
  EXPECT_EQ(region_size(8), 0x103000u);
}

TEST_F(ReadHeader, RefusesEveryChangedByte) {
  for (size_t i = 0; i < offsetof(Header, unused); ++i) {
    const bool is_epoch = i >= offsetof(Header, epoch) && i < offsetof(Header, region_size);
    bytes_[i] ^= std::byte{0x40};
    EXPECT_EQ(read().has_value(), is_epoch) << "byte " << i;
    bytes_[i] ^= std::byte{0x40};
  }
}

TEST_F(ReadHeader, TellsAnotherLayoutVersionFromGarbage) {
  bytes_[offsetof(Header, version)] = std::byte{2};
  EXPECT_EQ(read().error().status, Status::kUnsupported);
  bytes_[0] = std::byte{0};
  EXPECT_EQ(read().error().status, Status::kProtocolError);
}

TEST_F(ReadHeader, RefusesARegionOfAnotherSize) {
  EXPECT_FALSE(read_header(bytes_.data(), region_size(8) - kPageSize).has_value());
  EXPECT_FALSE(read_header(bytes_.data(), region_size(8) + kPageSize).has_value());
  EXPECT_FALSE(read_header(bytes_.data(), region_size(1) - 1).has_value());
}

TEST_F(ReadHeader, RefusesSlotCountsOutOfRangeEvenWhenAllElseFits) {
  for (uint32_t slots : {0u, kMaxSlots + 1, 0xffffffffu}) {
    write_header(bytes_.data(), slots, 1);
    EXPECT_EQ(read_header(bytes_.data(), region_size(slots)).error().status, Status::kProtocolError);
  }
}

struct Row {
  size_t offset;
  size_t size;
  std::string field;
  bool operator==(const Row&) const = default;
};

// rows_of reads the table below a heading of docs/channel.md: offset, size and name of each row that has numbers.
std::vector<Row> rows_of(const std::string& heading) {
  std::ifstream page(WVDS_SOURCE_DIR "/docs/channel.md");
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("#")) inside = line == heading;
    Row row{};
    char field[64] = {};
    if (inside && std::sscanf(line.c_str(), "| %zu | %zu | %63[a-z_] |", &row.offset, &row.size, field) == 3) {
      row.field = field;
      rows.push_back(row);
    }
  }
  return rows;
}

#define ROW(type, member) \
  Row { offsetof(type, member), sizeof(type::member), #member }

TEST(Layout, IsAsItsDocumentSays) {
  EXPECT_EQ(
      rows_of("### Header"),
      (std::vector<Row>{ROW(Header, magic), ROW(Header, version), ROW(Header, slot_count), ROW(Header, epoch),
                        ROW(Header, region_size), ROW(Header, control_offset), ROW(Header, slots_offset),
                        ROW(Header, slot_stride), ROW(Header, request_word_offset), ROW(Header, request_area_offset),
                        ROW(Header, request_area_size), ROW(Header, answer_word_offset),
                        ROW(Header, answer_area_offset), ROW(Header, answer_area_size), ROW(Header, unused)}));
  EXPECT_EQ(rows_of("### Control words"),
            (std::vector<Row>{ROW(Control, service_sleeping), ROW(Control, service_bell), ROW(Control, client_sleeping),
                              ROW(Control, client_bell), ROW(Control, client_processor)}));
  EXPECT_EQ(rows_of("### Slot"), (std::vector<Row>{ROW(Slot, request_word), ROW(Slot, request_area),
                                                   ROW(Slot, answer_word), ROW(Slot, answer_area)}));
}

TEST(Layout, HasNoLineThatBothSidesWrite) {
  const auto line = [](size_t offset) { return offset / kLineSize; };
  EXPECT_LT(line(offsetof(Slot, request_area) + kRequestAreaSize - 1), line(offsetof(Slot, answer_word)));
  EXPECT_LT(line(offsetof(Slot, answer_area) + kAnswerAreaSize - 1), line(sizeof(Slot)));
}

TEST(Layout, KeepsEverySlotInsideTheRegion) {
  for (uint32_t slots = 1; slots <= kMaxSlots; ++slots) {
    EXPECT_LE(sizeof(Header) + sizeof(Control) + slots * sizeof(Slot), region_size(slots));
    EXPECT_EQ(region_size(slots) % kPageSize, 0u);
  }
}

}  // namespace
}  // namespace wvds::channel
