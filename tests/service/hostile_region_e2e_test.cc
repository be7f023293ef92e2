// A client that holds a session and writes whatever it likes into its region, or plays with its memory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <random>

#include "service/busy_bystander.h"
#include "service/bystander.h"
#include "service/hostile_session.h"

namespace wvds::test {
namespace {

using protocol::Operation;

class HostileRegion : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.start());
    busy_.emplace(daemon_);
    ASSERT_TRUE(busy_->serves(1));
    bystander_.emplace(daemon_);
    hostile_.emplace(daemon_);
    ASSERT_TRUE(hostile_->ready());
  }
  // Whatever was done: other clients went on all the time and go on, the session ends with its client, and the service
  // stops when it is told to.
  void TearDown() override {
    if (!hostile_) return;
    bystander_->check();
    EXPECT_TRUE(busy_->serves(20));
    EXPECT_TRUE(busy_->finish());
    hostile_.reset();
    EXPECT_TRUE(reached([&] { return bystander_->sessions() == 1; }));
    bystander_->check();
    EXPECT_EQ(daemon_.stop(), 0);
  }

  uint32_t any() { return static_cast<uint32_t>(random_()); }

  Daemon daemon_;
  std::optional<BusyBystander> busy_;
  std::optional<Bystander> bystander_;
  std::optional<HostileSession> hostile_;
  std::minstd_rand random_{20'260'801};
};

TEST_F(HostileRegion, GarbageOverEveryControlWord) {
  const channel::Region region = hostile_->region();
  channel::Word* words[] = {&region.control().service_sleeping, &region.control().service_bell,
                            &region.control().client_sleeping, &region.control().client_bell,
                            &region.control().client_processor};
  for (int round = 0; round < 20'000; ++round) {
    channel::store(*words[any() % std::size(words)], any());
    channel::Slot& slot = region.slot(any() % region.slot_count());
    channel::store(any() % 2 == 0 ? slot.request_word : slot.answer_word, any());
    if (round % 16 == 0) hostile_->ring();
    if (round % 1000 == 0) bystander_->check();
  }
}

TEST_F(HostileRegion, GarbageOverTheWholeRegion) {
  std::byte* base = hostile_->client().base();
  const size_t size = hostile_->client().size();
  for (int round = 0; round < 30; ++round) {
    for (size_t i = 0; i + 4 <= size; i += 4) channel::store(*reinterpret_cast<channel::Word*>(base + i), any());
    hostile_->ring();
    bystander_->check();
  }
}

TEST_F(HostileRegion, GarbageInRequests) {
  const auto operations = protocol::operations();
  for (int round = 0; round < 5000; ++round) {
    Octets payload(any() % 300);
    for (std::byte& byte : payload) byte = static_cast<std::byte>(any() >> 8);
    Octets frame = frame_of(operations[any() % operations.size()].operation, payload);
    if (round % 4 == 0) frame[any() % 8] = static_cast<std::byte>(any() >> 8);
    const HostileAnswer answer = hostile_->call(frame);
    ASSERT_LE(answer.status, kLastServiceStatus);
    ASSERT_NE(answer.status, Status::kInternalError) << daemon_.log();
    if (round % 500 == 0) bystander_->check();
  }
}

TEST_F(HostileRegion, ASlotSubmittedAgainWhileItIsServed) {
  const Octets frame = frame_of(Operation::kRandom, Octets{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}});
  for (uint32_t slot = 0; slot < hostile_->region().slot_count(); ++slot) hostile_->fill(slot, frame);
  for (int round = 0; round < 3000; ++round) hostile_->submit(any() % hostile_->region().slot_count());
  for (uint32_t slot = 0; slot < hostile_->region().slot_count(); ++slot) {
    hostile_->submit(slot);
    const auto answer = hostile_->await(slot);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, Status::kSuccess);
    EXPECT_EQ(answer->payload.size(), 65'536u);
  }
}

TEST_F(HostileRegion, WakeUpsForNothing) {
  for (int round = 0; round < 20'000; ++round) hostile_->ring();
  EXPECT_EQ(hostile_->call(frame_of(Operation::kPing, {})).status, Status::kSuccess);
}

// The worker sleeps on a word in the region; its sleep can be moved to another word, where no ring reaches it.
TEST_F(HostileRegion, TheftOfTheSleepingWorker) {
  channel::Control& control = hostile_->region().control();
  ASSERT_TRUE(reached([&] { return channel::load(control.service_sleeping) == 1; }));
  alignas(4) static uint32_t elsewhere = 0;
  const auto move_all = [&] {
    return syscall(SYS_futex, &control.service_bell, FUTEX_CMP_REQUEUE, 0, INT_MAX, &elsewhere,
                   channel::load(control.service_bell));
  };
  // It may be announced and not yet asleep: until something was moved, or long enough that nothing can be (another way
  // of waiting).
  for (int i = 0; i < 100'000 && move_all() <= 0; ++i) {
  }
}

TEST_F(HostileRegion, HolesAndOtherSizesAreRefusedByTheKernel) {
  const int memory = hostile_->client().memory();
  const auto size = static_cast<off_t>(hostile_->client().size());
  EXPECT_NE(fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size), 0);
  EXPECT_NE(madvise(hostile_->client().base(), static_cast<size_t>(size), MADV_REMOVE), 0);
  EXPECT_NE(ftruncate(memory, 4096), 0);
  EXPECT_NE(ftruncate(memory, size * 2), 0);
  EXPECT_EQ(mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0), MAP_FAILED);
  EXPECT_NE(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), 0);
  EXPECT_EQ(hostile_->call(frame_of(Operation::kPing, {})).status, Status::kSuccess);
}

TEST_F(HostileRegion, AMappingThatIsGivenUp) {
  munmap(hostile_->client().base(), hostile_->client().size());
  void* elsewhere = mmap(hostile_->client().base(), hostile_->client().size(), PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  EXPECT_NE(elsewhere, MAP_FAILED);  // so that the test's own clean-up finds something to unmap
}

}  // namespace
}  // namespace wvds::test
