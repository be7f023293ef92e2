#include "bench/runner.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "bench/cases.h"

namespace wvds::bench {
namespace {

constexpr size_t kWarmUpRequests = 10;  // more than a session has slots, so that every slot's memory is there

// Measurement alternates between the variants in short rounds, so that noise of the machine hits all of them alike.
class Measurement {
 public:
  Measurement(const World& world, size_t requests) : world_(world), requests_(requests) {}

  // round measures each variant once, with the same requests, and returns the service's median in nanoseconds.
  Result<double> round(Case& measured) {
    std::vector<Request> requests;
    for (size_t i = 0; i < kWarmUpRequests + requests_; ++i) {
      WVDS_ASSIGN(request, measured.fresh());
      requests.push_back(std::move(request));
    }
    const size_t count = measured.variants.size();
    for (size_t i = 0; i < count; ++i) {
      auto& [name, variant] = measured.variants[(rounds_ + i) % count];
      WVDS_TRY(measure(*variant, name, requests));
    }
    ++rounds_;
    return last_service_median_;
  }

  void report(benchmark::UserCounters& counters) const {
    for (const auto& [name, samples] : samples_) {
      counters[name + "_p50"] = samples.quantile(0.5);
      counters[name + "_p99"] = samples.quantile(0.99);
      counters[name + "_p999"] = samples.quantile(0.999);
      counters[name + "_n"] = static_cast<double>(samples.size());
    }
    if (samples_.contains("b") && samples_.contains("c")) {
      counters["ratio"] = median("c") / (median("a") + median("b"));
    }
    if (samples_.contains("c_inplace")) {
      counters["ratio_inplace"] = median("c_inplace") / (median("a") + median("b_inplace"));
    }
    if (samples_.contains("b_pipelined")) {
      counters["share"] = std::max(median("a_foreign"), median("b_pipelined")) / median("d");
    }
    if (samples_.contains("a")) counters["over_a"] = median("c") / median("a");
  }

 private:
  Result<> measure(Variant& variant, const std::string& name, std::span<const Request> requests) {
    Samples ignored;
    Samples fresh;
    world_.settle();
    WVDS_TRY(variant.wake());
    WVDS_TRY(variant.measure(requests.first(kWarmUpRequests), ignored));
    WVDS_TRY(variant.measure(requests.subspan(kWarmUpRequests), fresh));
    if (name == "c" || name == "d") last_service_median_ = fresh.quantile(0.5);
    samples_[name].add(fresh);
    return {};
  }

  // median is 0 for a variant that this case does not have: an empty call has no (a).
  double median(const std::string& name) const {
    const auto found = samples_.find(name);
    return found == samples_.end() ? 0 : found->second.quantile(0.5);
  }

  const World& world_;
  size_t requests_;
  size_t rounds_ = 0;
  double last_service_median_ = 0;
  std::map<std::string, Samples> samples_;
};

void skip(benchmark::State& state, const Error& error) {
  state.SkipWithError((error.detail + " (" + status_name(error.status) + ")").c_str());
}

// make_cases makes one case for each placement. All live at the same time, so that each has memory of its own.
Result<std::vector<Case>> make_cases(World& world, const Definition& definition) {
  std::vector<Case> cases;
  for (size_t i = 0; i < definition.effort.placements; ++i) {
    WVDS_ASSIGN(made, definition.make(world));
    cases.push_back(std::move(made));
  }
  return cases;
}

void run(benchmark::State& state, World& world, const Definition& definition) {
  Result<std::vector<Case>> cases = make_cases(world, definition);
  if (!cases) return skip(state, cases.error());
  Measurement measurement(world, definition.effort.requests);
  size_t rounds = 0;
  for ([[maybe_unused]] auto round : state) {
    const Result<double> median = measurement.round((*cases)[rounds++ % cases->size()]);
    if (!median) {
      skip(state, median.error());
      break;
    }
    constexpr double kNanosecond = 1e-9;
    state.SetIterationTime(*median * kNanosecond);
  }
  measurement.report(state.counters);
}

}  // namespace

void register_operations(World& world, double effort) {
  for (const auto& definitions : {empty_call_definitions(), aes_definitions(), mldsa_definitions(), mlkem_definitions(),
                                  throughput_definitions(), one_processor_definitions(), scale_definitions()}) {
    for (const Definition& definition : definitions) {
      const double rounds = std::max(2.0, std::round(static_cast<double>(definition.effort.rounds) * effort));
      const auto body = [&world, definition](benchmark::State& state) { run(state, world, definition); };
      benchmark::RegisterBenchmark(definition.name.c_str(), body)
          ->UseManualTime()
          ->Iterations(static_cast<benchmark::IterationCount>(rounds))
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace wvds::bench
