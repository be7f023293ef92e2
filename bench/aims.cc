#include "bench/aims.h"

#include "bench/cases.h"

namespace wvds::bench {
namespace {

constexpr double kHandOverLimit = 1.15;
constexpr double kMlKemLimit = 1.05;
constexpr double kMlDsaLimit = 1.01;
constexpr double kThroughputShare = 0.85;

void add_limit(std::vector<Aim>& out, const Find& find, const std::string& benchmark, const char* counter,
               const std::string& text, double limit, std::string (*format)(double), const char* unit) {
  const Counters* counters = find(benchmark);
  if (counters == nullptr || !counters->contains(counter)) return;
  const double value = counters->at(counter);
  out.push_back({text, format(value) + unit, value < limit});
}

// add_ratios judges one counter of each benchmark of a list by the same limit.
void add_ratios(std::vector<Aim>& out, const Find& find, const std::vector<std::string>& benchmarks,
                const std::string& text, const char* counter, double limit) {
  for (const std::string& name : benchmarks) {
    const Counters* counters = find(name);
    if (counters == nullptr || !counters->contains(counter)) continue;
    const double value = counters->at(counter);
    out.push_back({text + ": " + name, three_decimals(value), value <= limit});
  }
}

// add_quotient judges how many times as much the first counter is as the second.
void add_quotient(std::vector<Aim>& out, const Find& find, const std::pair<std::string, std::string>& first,
                  const std::pair<std::string, std::string>& second, const std::string& text, double limit) {
  const Counters* above = find(first.first);
  const Counters* below = find(second.first);
  if (above == nullptr || below == nullptr) return;
  const double value = above->at(first.second) / below->at(second.second);
  out.push_back({text, two_decimals(value), value <= limit});
}

void add_speed(std::vector<Aim>& out, const Find& find) {
  const std::string speed(kSpeed);
  add_limit(out, find, speed + "throughput/64", "d_p50",
            "pipelined, 2 million encryptions of 64 bytes a second: 0.5 us", 500, microseconds, " us each");
  for (const char* size : {"64", "1024", "16384", "65502"}) {
    const Counters* counters = find(speed + "throughput/" + size);
    if (counters == nullptr) continue;
    const double share = counters->at("share");
    out.push_back({std::string("pipelined, 0.85 of the slower limit: ") + size + " bytes", two_decimals(share),
                   share >= kThroughputShare});
  }
  for (const char* set : {"mlkem512", "mlkem768", "mlkem1024"}) {
    add_limit(out, find, speed + set + "_keygen_pooled", "c_p50",
              std::string("session key from the pool under 10 us: ") + set, 10'000, microseconds, " us");
  }
  add_quotient(out, find, {speed + "keys/65536", "c_p50"}, {speed + "keys/1", "c_p50"}, "65,536 keys within 1.1 of one",
               1.1);
  add_quotient(out, find, {speed + "sessions/256", "c_p50"}, {speed + "sessions/1", "c_p50"},
               "one of 256 sessions within 1.1 of the only one", 1.1);
  add_quotient(out, find, {speed + "stored_key", "stored_p999"}, {speed + "stored_key", "c_p999"},
               "p99.9 with uses counted on disk within 1.5 of a key in memory", 1.5);
}

std::vector<std::string> combined(const std::vector<std::string>& families, const std::vector<std::string>& endings) {
  std::vector<std::string> all;
  for (const std::string& family : families) {
    for (const std::string& ending : endings) all.push_back(family + ending);
  }
  return all;
}

}  // namespace

std::vector<Aim> aims(const Find& find) {
  const std::vector<std::string> aes = combined({"aes_encrypt", "aes_decrypt"}, {"/64", "/1024", "/16384", "/65502"});
  const std::vector<std::string> mldsa = combined(
      {"mldsa44", "mldsa65", "mldsa87"}, {"_keygen", "_sign", "_sign_deterministic", "_verify_raw", "_verify_stored"});
  const std::vector<std::string> mlkem =
      combined({"mlkem512", "mlkem768", "mlkem1024"}, {"_keygen", "_encaps_raw", "_encaps_stored", "_decaps"});
  std::vector<Aim> out;
  add_limit(out, find, "ping", "c_p50", "empty call, hot, under 0.5 us", 500, microseconds, " us");
  add_limit(out, find, "ping_after_sleep", "c_p50", "empty call, service asleep, under 50 us", 50'000, microseconds,
            " us");
  add_limit(out, find, "aes_encrypt/64", "c_p50", "encryption of 64 bytes, under 1 us", 1000, microseconds, " us");
  add_limit(out, find, "aes_encrypt/64", "c_inplace_p50", "the same in place", 1000, microseconds, " us");
  add_ratios(out, find, {"ping"}, "(c) within 1.15 of (b)", "ratio", kHandOverLimit);
  add_ratios(out, find, aes, "(c) within 1.15 of (a)+(b)", "ratio", kHandOverLimit);
  add_ratios(out, find, aes, "(c) within 1.15 of (a)+(b), in place", "ratio_inplace", kHandOverLimit);
  add_ratios(out, find, mlkem, "(c) within 1.15 of (a)+(b)", "ratio", kHandOverLimit);
  add_ratios(out, find, mldsa, "(c) within 1.15 of (a)+(b)", "ratio", kHandOverLimit);
  add_ratios(out, find, mlkem, "ML-KEM within 5% of (a)", "over_a", kMlKemLimit);
  add_ratios(out, find, mldsa, "ML-DSA within 1% of (a)", "over_a", kMlDsaLimit);
  add_speed(out, find);
  add_limit(out, find, "idle", "cpu_percent", "processor use while idle 0", 0.005, two_decimals, " %");
  add_limit(out, find, "idle", "resident_mb", "under 12 MB resident, idle, 4 sessions", 12, two_decimals, " MB");
  add_limit(out, find, "start", "ready_ms_p50", "ready within 200 ms of start, FIPS self-tests included", 200,
            two_decimals, " ms");
  return out;
}

}  // namespace wvds::bench
