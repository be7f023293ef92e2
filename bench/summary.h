#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "bench/aims.h"

namespace wvds::bench {

// Summary prints a line for each run of a benchmark and keeps the best one: that with the lowest median of the service.
class Summary : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

  // markdown gives the tables of docs/performance.md: medians, tails, speed, process, aims. Without FIPS the medians
  // only: the rest does not depend on the provider.
  std::string markdown(bool fips) const;

  // failed tells whether a benchmark ended with an error.
  bool failed() const { return failed_; }

 private:
  using Place = std::pair<int64_t, int64_t>;  // in the order of definition: runs come interleaved

  struct Best {
    std::string name;
    Place place;
    Counters counters;
    size_t runs = 0;
  };

  void keep(const std::string& name, Place place, const Counters& counters);
  const Counters* find(const std::string& name) const;
  std::string median_table() const;
  std::string tail_table() const;
  std::string process_table() const;
  std::string aim_table() const;

  std::vector<Best> best_;
  bool failed_ = false;
};

}  // namespace wvds::bench
