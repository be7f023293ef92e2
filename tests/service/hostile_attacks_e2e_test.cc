// Each attack goes on for a while beside a client that works all the time, compares every answer and notes how long it
// took. The attacker is another user, with the limits that the service has unless configured.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "service/attacks.h"
#include "service/busy_bystander.h"
#include "support/service_sample.h"

namespace wvds::test {
namespace {

using channel::testing::ChildProcess;
using channel::testing::Pipe;

DaemonOptions with_attacker() {
  DaemonOptions options;
  options.clients = this_user_may_all() + ", " + attacker();
  return options;
}

// UnderAttack is the time in which an attack goes on.
class UnderAttack {
 public:
  UnderAttack(const Attack& attack, const Daemon& daemon)
      : process_([&] {
          become_attacker();
          attack.run(daemon, pipe_);
          ADD_FAILURE() << attack.name << " came to an end";
        }) {}
  bool in_full_swing() { return pipe_.told(); }
  bool ended() const {
    siginfo_t facts{};
    return waitid(P_PID, static_cast<id_t>(process_.pid()), &facts, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           facts.si_pid != 0;
  }

 private:
  Pipe pipe_;
  ChildProcess process_;
};

class HostileAttack : public testing::TestWithParam<Attack> {};

std::string name_of(const testing::TestParamInfo<Attack>& info) {
  std::string name = info.param.name;
  std::erase(name, ',');
  std::ranges::replace_if(name, [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, HostileAttack, testing::ValuesIn(attacks().begin(), attacks().end()), name_of);

TEST_P(HostileAttack, IsNotNoticedByAnotherClientAndLeavesNothingBehind) {
  if (!may_see_all()) GTEST_SKIP() << kNeedsRoot;
  Daemon daemon(with_attacker());
  ASSERT_TRUE(daemon.start());
  BusyBystander bystander(daemon);
  ASSERT_TRUE(bystander.serves(20));
  const ServiceSample before = sample_of(daemon.pid());
  {
    UnderAttack attack(GetParam(), daemon);
    ASSERT_TRUE(attack.in_full_swing());
    EXPECT_TRUE(bystander.serves(200));
    EXPECT_FALSE(attack.ended()) << "a breach, or no attack";
  }
  EXPECT_TRUE(reached([&] {
    const ServiceSample now = sample_of(daemon.pid());
    return now.descriptors == before.descriptors && now.threads == before.threads;
  })) << sample_of(daemon.pid()).descriptors
      << " descriptors, not " << before.descriptors << "; " << sample_of(daemon.pid()).threads << " threads, not "
      << before.threads;
  EXPECT_TRUE(bystander.serves(20));
  EXPECT_TRUE(bystander.finish());
  EXPECT_EQ(daemon.stop(), 0);
}

// ---- Latencies: told, not judged ----

using Quantiles = std::array<double, 4>;  // of an encryption, half and 99 of 100; of a signature, the same

double microseconds(std::chrono::nanoseconds latency) {
  return std::chrono::duration<double, std::micro>(latency).count();
}

Quantiles median(const std::vector<Quantiles>& rounds) {
  Quantiles out{};
  for (size_t i = 0; i < out.size(); ++i) {
    std::vector<double> values;
    for (const Quantiles& round : rounds) values.push_back(round[i]);
    std::ranges::nth_element(values, values.begin() + static_cast<ptrdiff_t>(values.size() / 2));
    out[i] = values[values.size() / 2];
  }
  return out;
}

class HostileLatency : public testing::Test {
 protected:
  struct Row {
    Attack attack;
    std::vector<Quantiles> alone;
    std::vector<Quantiles> beside;
  };

  // measured is what the bystander saw in one window.
  static Quantiles measured(const BusyBystander& bystander) {
    LatencyCounts encrypt = bystander.latencies(BusyBystander::kEncrypt);
    LatencyCounts sign = bystander.latencies(BusyBystander::kSign);
    std::this_thread::sleep_for(window());
    LatencyCounts more_encrypt = bystander.latencies(BusyBystander::kEncrypt);
    LatencyCounts more_sign = bystander.latencies(BusyBystander::kSign);
    more_encrypt -= encrypt;
    more_sign -= sign;
    return {microseconds(more_encrypt.quantile(0.5)), microseconds(more_encrypt.quantile(0.99)),
            microseconds(more_sign.quantile(0.5)), microseconds(more_sign.quantile(0.99))};
  }

  // measure takes one window alone and one beside the attack, with a service that no other attack met before.
  static void measure(Row& row) {
    Daemon daemon(with_attacker());
    ASSERT_TRUE(daemon.start());
    BusyBystander bystander(daemon);
    ASSERT_TRUE(bystander.serves(50));
    row.alone.push_back(measured(bystander));
    {
      UnderAttack attack(row.attack, daemon);
      ASSERT_TRUE(attack.in_full_swing());
      row.beside.push_back(measured(bystander));
      EXPECT_FALSE(attack.ended()) << row.attack.name;
    }
    EXPECT_TRUE(bystander.finish());
  }

  static bool is_long() { return std::getenv("WVDS_LONG") != nullptr; }
  static std::chrono::milliseconds window() { return std::chrono::milliseconds(is_long() ? 1500 : 60); }

  static std::string table(const std::vector<Row>& rows) {
    std::string text =
        "| beside | encryption p50 (µs) | alone | ratio | p99 | alone | ratio | signature p50 | alone | ratio |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n";
    for (const Row& row : rows) {
      const Quantiles alone = median(row.alone);
      const Quantiles beside = median(row.beside);
      char line[400];
      std::snprintf(line, sizeof line, "| %s | %.0f | %.0f | %.1f | %.0f | %.0f | %.1f | %.0f | %.0f | %.1f |\n",
                    row.attack.name, beside[0], alone[0], beside[0] / alone[0], beside[1], alone[1],
                    beside[1] / alone[1], beside[2], alone[2], beside[2] / alone[2]);
      text += line;
    }
    return text;
  }
};

TEST_F(HostileLatency, OfAnotherClientIsToldBesideEachAttack) {
  if (!may_see_all()) GTEST_SKIP() << kNeedsRoot;
  std::vector<Row> rows = {{{"(no attack: one program that computes)", compute}, {}, {}},
                           {{"(no attack: two programs that compute)", compute_twice}, {}, {}}};
  for (const Attack& attack : attacks()) rows.push_back({attack, {}, {}});
  if (!is_long()) rows.resize(4);  // HostileAttack has them all
  for (int round = 0; round < (is_long() ? 5 : 1); ++round) {
    for (Row& row : rows) {
      measure(row);
      if (HasFailure()) return;
    }
  }
  const std::string text = table(rows);
  std::fputs(text.c_str(), stdout);
  if (const char* file = std::getenv("WVDS_LATENCY_OUT")) std::ofstream(file) << text;
}

}  // namespace
}  // namespace wvds::test
