#include "bench/aims.h"

#include <array>

namespace wvds::bench {
namespace {

using Find = std::function<const Counters*(const std::string&)>;

constexpr double kHandOverLimit = 1.15;
constexpr double kMlKemLimit = 1.05;
constexpr double kMlDsaLimit = 1.01;

void add_limit(std::vector<Aim>& out, const Find& find, const char* benchmark, const char* counter,
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
  add_limit(out, find, "idle", "cpu_percent", "processor use while idle 0", 0.005, two_decimals, " %");
  add_limit(out, find, "idle", "resident_mb", "under 12 MB resident, idle, 4 sessions", 12, two_decimals, " MB");
  add_limit(out, find, "start", "ready_ms_p50", "ready within 200 ms of start, FIPS self-tests included", 200,
            two_decimals, " ms");
  return out;
}

}  // namespace wvds::bench
