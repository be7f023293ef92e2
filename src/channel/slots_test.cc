#include "channel/slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "channel/testing/memory_region.h"

namespace wvds::channel {
namespace {

constexpr uint32_t kSlots = 4;

class SlotsTest : public ::testing::Test {
 protected:
  testing::MemoryRegion memory_{kSlots};
  Region region_ = memory_.region();
  ServiceSlots service_{region_};
  ClientSlots client_{region_};

  SlotIndex submitted() {
    const SlotIndex slot = client_.acquire().value();
    EXPECT_TRUE(client_.submit(slot));
    return slot;
  }
};

using ServiceSlotsTest = SlotsTest;
using ClientSlotsTest = SlotsTest;

TEST_F(ServiceSlotsTest, HasNothingPendingInANewRegion) {
  EXPECT_FALSE(service_.pending());
  EXPECT_FALSE(service_.take().has_value());
}

TEST_F(ServiceSlotsTest, TakesEachSubmitOnce) {
  const SlotIndex slot = submitted();
  EXPECT_TRUE(service_.pending());
  EXPECT_EQ(service_.take(), slot);
  EXPECT_FALSE(service_.pending());
  EXPECT_FALSE(service_.take().has_value());
  EXPECT_FALSE(service_.take_slot(slot));
}

TEST_F(ServiceSlotsTest, LetsNoSlotStarve) {
  store(region_.slot(3).request_word, 1);
  uint32_t generation = 0;
  std::set<SlotIndex> seen;
  for (uint32_t i = 0; i < kSlots; ++i) {
    store(region_.slot(0).request_word, ++generation);
    store(region_.slot(1).request_word, generation);
    seen.insert(service_.take().value());
  }
  EXPECT_TRUE(seen.contains(3)) << "slots 0 and 1 are always full, yet 3 has its turn";
}

TEST_F(ServiceSlotsTest, AnswersTheGenerationItTookWhateverTheWordSaysThen) {
  store(region_.slot(2).request_word, 7);
  ASSERT_EQ(service_.take(), 2u);
  store(region_.slot(2).request_word, 0xdeadbeef);
  service_.complete(2);
  EXPECT_EQ(load(region_.slot(2).answer_word), 7u);
  EXPECT_EQ(service_.take(), 2u) << "what was written meanwhile is another submit";
}

TEST_F(ServiceSlotsTest, ServesEveryGenerationIncludingZeroAfterTheWrap) {
  for (uint32_t generation : {0xfffffffeu, 0xffffffffu, 0u, 1u}) {
    store(region_.slot(1).request_word, generation);
    ASSERT_EQ(service_.take(), 1u);
    service_.complete(1);
    EXPECT_EQ(load(region_.slot(1).answer_word), generation);
  }
}

TEST_F(ServiceSlotsTest, RefusesSlotsThatDoNotExist) {
  EXPECT_FALSE(service_.take_slot(kSlots));
  EXPECT_FALSE(service_.take_slot(0xffffffff));
}

TEST_F(ServiceSlotsTest, HandsOutWholeAreasThatDoNotOverlap) {
  const Request request = service_.request(1);
  EXPECT_EQ(request.area.size(), kRequestAreaSize);
  EXPECT_EQ(request.answer.size(), kAnswerAreaSize);
  const std::byte* area = request.area.in_place().data();
  EXPECT_LE(area + kRequestAreaSize, request.answer.data());
  EXPECT_LE(request.answer.data() + kAnswerAreaSize, service_.request(2).area.in_place().data());
}

TEST_F(ClientSlotsTest, GivesEverySlotOnceAndThenNone) {
  std::set<SlotIndex> seen;
  for (uint32_t i = 0; i < kSlots; ++i) seen.insert(client_.acquire().value());
  EXPECT_EQ(seen.size(), kSlots);
  EXPECT_FALSE(client_.acquire().has_value());
  client_.release(2);
  EXPECT_EQ(client_.acquire(), 2u);
}

TEST_F(ClientSlotsTest, SeesTheAnswerOfItsOwnSubmitOnly) {
  const SlotIndex slot = submitted();
  EXPECT_FALSE(client_.answered(slot));
  for (uint32_t wrong : {0u, 2u, 0xffffffffu}) {
    store(region_.slot(slot).answer_word, wrong);
    EXPECT_FALSE(client_.answered(slot)) << wrong;
  }
  ASSERT_EQ(service_.take(), slot);
  service_.complete(slot);
  EXPECT_TRUE(client_.answered(slot));
  EXPECT_EQ(client_.answer_area(slot).size(), kAnswerAreaSize);
}

TEST_F(ClientSlotsTest, KeepsAnAbandonedSlotBusyUntilTheServiceHasFinishedIt) {
  const SlotIndex slot = submitted();
  client_.release(slot);
  for (uint32_t i = 1; i < kSlots; ++i) EXPECT_NE(client_.acquire(), slot);
  EXPECT_FALSE(client_.acquire().has_value());
  ASSERT_EQ(service_.take(), slot);
  EXPECT_FALSE(client_.acquire().has_value()) << "taken is not finished";
  service_.complete(slot);
  EXPECT_EQ(client_.acquire(), slot);
}

TEST_F(ClientSlotsTest, DropsTheLateAnswerOfAnAbandonedSubmit) {
  const SlotIndex slot = submitted();
  client_.release(slot);
  ASSERT_EQ(service_.take(), slot);
  service_.complete(slot);
  ASSERT_EQ(client_.acquire(), slot);
  ASSERT_TRUE(client_.submit(slot));
  EXPECT_FALSE(client_.answered(slot)) << "the answer word holds the abandoned generation";
  ASSERT_EQ(service_.take(), slot);
  service_.complete(slot);
  EXPECT_TRUE(client_.answered(slot));
}

TEST_F(ClientSlotsTest, AnswersStayUntilReleased) {
  const SlotIndex slot = submitted();
  ASSERT_EQ(service_.take(), slot);
  service_.complete(slot);
  ASSERT_TRUE(client_.answered(slot));
  store(region_.slot(slot).answer_word, 99);
  EXPECT_TRUE(client_.answered(slot));
  client_.release(slot);
  EXPECT_FALSE(client_.answered(slot));
  EXPECT_TRUE(client_.answer_area(slot).empty());
}

TEST_F(ClientSlotsTest, RefusesStepsOutOfOrder) {
  EXPECT_FALSE(client_.submit(0)) << "not acquired";
  EXPECT_TRUE(client_.request_area(0).empty());
  const SlotIndex slot = client_.acquire().value();
  EXPECT_EQ(client_.request_area(slot).size(), kRequestAreaSize);
  EXPECT_TRUE(client_.submit(slot));
  EXPECT_FALSE(client_.submit(slot)) << "in flight";
  EXPECT_TRUE(client_.request_area(slot).empty()) << "the service reads it";
  EXPECT_TRUE(client_.answer_area(slot).empty());
}

TEST_F(ClientSlotsTest, RefusesSlotsThatDoNotExist) {
  for (SlotIndex slot : {kSlots, kMaxSlots, 0xffffffffu}) {
    EXPECT_FALSE(client_.submit(slot));
    EXPECT_FALSE(client_.answered(slot));
    EXPECT_FALSE(client_.in_flight(slot));
    EXPECT_TRUE(client_.request_area(slot).empty());
    EXPECT_TRUE(client_.answer_area(slot).empty());
    client_.release(slot);
  }
}

TEST_F(ClientSlotsTest, WipesWhatItUsedAndLeavesTheRestUntouched) {
  const SlotIndex used = submitted();
  std::memset(region_.slot(used).request_area, 0xaa, kRequestAreaSize);
  std::memset(region_.slot(used).answer_area, 0xbb, kAnswerAreaSize);
  std::memset(region_.slot(3).request_area, 0xcc, kRequestAreaSize);
  client_.wipe();
  const auto all = [](const std::byte* bytes, size_t size, unsigned char value) {
    return std::all_of(bytes, bytes + size, [&](std::byte b) { return b == std::byte{value}; });
  };
  EXPECT_TRUE(all(region_.slot(used).request_area, kRequestAreaSize, 0));
  EXPECT_TRUE(all(region_.slot(used).answer_area, kAnswerAreaSize, 0));
  EXPECT_TRUE(all(region_.slot(3).request_area, kRequestAreaSize, 0xcc)) << "never used: stays without memory";
}

}  // namespace
}  // namespace wvds::channel
