// Eight clients use the service with all kinds of requests and compare every answer with what it must be, while the
// service is stopped, killed and started again. In the second part, when it is left alone, its memory and descriptors
// must stay as they are. Latencies are told and not judged.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>

#include "channel/linux/testing/child_process.h"
#include "soak/client.h"
#include "soak/report.h"
#include "support/daemon.h"
#include "support/shared_object.h"

namespace wvds::test {
namespace {

using channel::testing::ChildProcess;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr int kOutages = 6;         // every other one by SIGKILL
constexpr double kLeftAlone = 0.4;  // share of the time after which the service is ended no more

// Memory is compared over the last 30% of the time, when windows and caches are full: what is typical of the second
// half of that may be so much more than what is typical of the first. What the C library keeps for each of the workers'
// heaps moves by some MB. In an hour a service that lost 4 bytes with each request would be over it.
constexpr uint64_t kMemoryBound = 8 * 1024;  // KB
constexpr uint64_t kMappingBound = 16;

seconds length() {
  if (const char* chosen = std::getenv("WVDS_SOAK_SECONDS")) return seconds(std::max(std::atoi(chosen), 10));
#ifdef __SANITIZE_ADDRESS__
  constexpr seconds kShort{15};
#else
  constexpr seconds kShort{25};
#endif
  return std::getenv("WVDS_LONG") != nullptr ? seconds(3600) : kShort;
}

DaemonOptions options() {
  DaemonOptions options;
  options.sections = R"("log_level": "warning", "replay_window": {"capacity": 2000},)";
  options.clients =
      R"({"name": "soak", "uid": )" + std::to_string(getuid()) + R"(, "operations": )" + all_operations() +
      R"(, "limits": {"sessions": 64, "keys_per_minute": 10000000}, "rate_limit": {"requests_per_second": 0}})";
  return options;
}

class Soak : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.start());
    const uint64_t threads = sample_of(daemon_.pid()).threads;
    {
      const Connection first(daemon_);
    }  // what the first session makes for all to come stays
    ASSERT_TRUE(reached([&] { return sample_of(daemon_.pid()).threads == threads; }));
    idle_ = sample_of(daemon_.pid());
    for (size_t i = 0; i < kSoakClients; ++i) {
      clients_.push_back(std::make_unique<ChildProcess>([this, i] {
        SoakClient(*board_, i, daemon_.socket_path()).run();
        if (board_->clients[i].wrong > 0) ADD_FAILURE() << board_->clients[i].first_wrong.data();
      }));
    }
    begun_ = told_ = Clock::now();
  }
  void TearDown() override { clients_.clear(); }  // before the service, which they would miss

  // watch looks at the service until `share` of the time is over.
  void watch(double share) {
    const auto end = begun_ + std::chrono::duration_cast<Clock::duration>(length_ * share);
    const auto interval = std::max<Clock::duration>(length_ / 720, std::chrono::milliseconds(100));
    while (Clock::now() < end && wrong() == 0) {
      std::this_thread::sleep_until(std::min(end, Clock::now() + interval));
      look();
    }
  }

  void look() {
    SoakPoint point;
    point.at = Clock::now() - begun_;
    point.outages = board_->outages;
    point.service = sample_of(daemon_.pid());
    for (const ClientBoard& client : board_->clients) point.checked += client.checked;
    SoakLatencies now = latencies_of(*board_);
    point.latencies = now;
    for (size_t op = 0; op < kSoakOps; ++op) point.latencies[op] -= before_[op];
    before_ = std::move(now);
    points_.push_back(std::move(point));
    if (length_ >= seconds(120) && Clock::now() - told_ >= seconds(60)) {
      told_ = Clock::now();
      std::fputs(soak_progress(points_.back(), length_, wrong()).c_str(), stderr);
    }
  }

  // end_service ends it in the midst of requests, by turns politely and not, and starts the next.
  void end_service(int number) {
    ++board_->outages;
    if (number % 2 == 0) {
      EXPECT_EQ(daemon_.stop(), 0);
    } else {
      daemon_.kill();
    }
    ASSERT_TRUE(daemon_.start());
    board_->services = board_->outages.load();
    board_->ring();
  }

  // rest lets all clients close their sessions: the service must hold what it held before any came.
  void rest() {
    ++board_->rests;
    board_->ring();
    ASSERT_TRUE(reached([&] {
      return wrong() > 0 || std::ranges::all_of(board_->clients, [&](const ClientBoard& client) {
               return client.at_rest == board_->rests;
             });
    }));
    EXPECT_TRUE(reached([&] { return sample_of(daemon_.pid()).descriptors == idle_.descriptors; }))
        << sample_of(daemon_.pid()).descriptors << " descriptors, not " << idle_.descriptors;
    board_->rests_over = board_->rests.load();
    board_->ring();
  }

  uint64_t wrong() const {
    uint64_t sum = 0;
    for (const ClientBoard& client : board_->clients) sum += client.wrong;
    return sum;
  }

  // typical is the median of what `figure` gives of each point between two shares of the time.
  template <class Figure>
  uint64_t typical(double from, double to, Figure figure) const {
    std::vector<uint64_t> values;
    for (const SoakPoint& point : points_) {
      const double share = point.at / std::chrono::duration<double>(length_);
      if (share >= from && share < to) values.push_back(figure(point.service));
    }
    if (values.empty()) return 0;
    std::ranges::nth_element(values, values.begin() + values.size() / 2);
    return values[values.size() / 2];
  }
  template <class Figure>
  void expect_flat(const char* what, uint64_t bound, Figure figure) const {
    const uint64_t before = typical(0.7, 0.85, figure);
    const uint64_t after = typical(0.85, 1, figure);
    std::printf("%s: %llu, later %llu\n", what, static_cast<unsigned long long>(before),
                static_cast<unsigned long long>(after));
#ifndef __SANITIZE_ADDRESS__  // which keeps what was freed
    EXPECT_GT(before, 0u);
    EXPECT_LE(after, before + bound) << what;
#else
    (void)bound;
#endif
  }

  void tell() const {
    uint64_t lost = 0;
    for (const ClientBoard& client : board_->clients) lost += client.lost;
    std::printf(
        "%lld s, %zu clients, %llu answers checked, %llu wrong; service ended %u times, %llu connections lost\n",
        static_cast<long long>(length_.count()), kSoakClients, static_cast<unsigned long long>(points_.back().checked),
        static_cast<unsigned long long>(wrong()), board_->outages.load(), static_cast<unsigned long long>(lost));
    const std::string table = soak_table(latencies_of(*board_));
    std::fputs(table.c_str(), stdout);
    if (const char* folder = std::getenv("WVDS_SOAK_OUT")) {
      std::ofstream(std::string(folder) + "/points.csv") << soak_points_csv(points_);
      std::ofstream(std::string(folder) + "/latencies.md") << table;
    }
  }

  Daemon daemon_{options()};
  SharedObject<SoakBoard> board_;
  std::vector<std::unique_ptr<ChildProcess>> clients_;
  const seconds length_ = length();
  Clock::time_point begun_;
  Clock::time_point told_;
  SoakLatencies before_;
  std::vector<SoakPoint> points_;
  ServiceSample idle_;
};

TEST_F(Soak, EveryAnswerIsRightAndTheServiceStaysAsItIs) {
  if (!may_see_all()) GTEST_SKIP() << "NOT RUN: needs root, to count the service's descriptors and mappings";
  for (int i = 0; i < kOutages && wrong() == 0; ++i) {
    watch(kLeftAlone * (i + 1) / (kOutages + 1));
    if (i % 3 == 2) rest();
    end_service(i);
  }
  watch(1);
  rest();
  look();
  tell();
  board_->over = true;
  board_->ring();
  for (const auto& client : clients_) EXPECT_EQ(client->wait_for_end(), 0);
  for (const ClientBoard& client : board_->clients) EXPECT_EQ(client.wrong, 0u) << client.first_wrong.data();
  const SoakLatencies all = latencies_of(*board_);
  for (size_t op = 0; op < kSoakOps; ++op) EXPECT_GT(all[op].total(), 0u) << kSoakOpNames[op];
  EXPECT_EQ(daemon_.stop(), 0);
  expect_flat("KB of memory", kMemoryBound, [](const ServiceSample& sample) { return sample.resident_kb; });
  expect_flat("mappings", kMappingBound, [](const ServiceSample& sample) { return sample.mappings; });
}

}  // namespace
}  // namespace wvds::test
