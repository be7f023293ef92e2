#include <algorithm>
#include <cstdio>

#include "tools/wvds/bench/measure.h"
#include "tools/wvds/capabilities_report.h"
#include "tools/wvds/commands.h"
#include "tools/wvds/names.h"
#include "tools/wvds/report.h"

// bench
namespace wvds::tool {
namespace {

struct BenchOptions {
  double seconds = 1;
  std::vector<std::string> operations;
  std::string mode = "both";
  bool as_json = false;
};

const char* kSimple = "simple";
const char* kPipelined = "pipelined";

std::vector<std::string> operation_words() {
  std::vector<std::string> words;
  for (const Job& job : all_jobs()) {
    if (std::ranges::find(words, job.operation) == words.end()) words.push_back(job.operation);
  }
  return words;
}

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// A request that the rate limiter refused says nothing about the machine, and those before it only about the burst.
std::string limit_text(const wvds_capability_list& offer) {
  return "RATE_LIMITED: the limit of " + rate_text(offer) +
         " would be measured; see rate_limit of this client in the configuration";
}

// problem_of says why a run has no figures; empty where it has. Keys that may not be made end a run, but what was
// measured before is right.
std::string problem_of(const Measurement& run, const wvds_capability_list& offer) {
  if (run.status == WVDS_SUCCESS) return "";
  if (run.status == WVDS_RATE_LIMITED) return limit_text(offer);
  if (run.status == WVDS_LIMIT_REACHED && run.samples.count() > 0) return "";
  return std::string(wvds_status_name(run.status)) + ": " + wvds_status_text(run.status);
}

class Bench {
 public:
  Bench(const BenchOptions& options, Session session, const wvds_capability_list& offer)
      : options_(options), session_(std::move(session)), offer_(offer) {}

  Outcome<> run() {
    TOOL_TRY(say("rate limit: " + rate_text(offer_) + "\n" + table_.head()));
    for (const Job& job : all_jobs()) {
      if (!is_wanted(job)) continue;
      for (const char* mode : {kSimple, kPipelined}) {
        const bool is_wanted_mode = options_.mode == "both" || options_.mode == mode;
        if (is_wanted_mode) TOOL_TRY(run_job(job, mode));
      }
    }
    if (options_.as_json) TOOL_TRY(write_text(json_text(result())));
    return verdict();
  }

 private:
  bool is_wanted(const Job& job) const {
    return options_.operations.empty() ||
           std::ranges::find(options_.operations, job.operation) != options_.operations.end();
  }

  Outcome<> run_job(const Job& job, const std::string& mode) {
    const auto workload = job.make();
    const auto prepared = waiting_out([&] { return workload->prepare(session_.get()); });
    Measurement run{{}, {}, prepared};
    const auto duration = std::chrono::nanoseconds(static_cast<int64_t>(options_.seconds * 1e9));
    if (prepared == WVDS_SUCCESS) {
      run = (mode == kSimple ? measure_simple : measure_pipelined)(session_.get(), *workload, offer_, duration);
    }
    const bool is_nothing_to_pipeline = mode == kPipelined && run.status == WVDS_UNSUPPORTED;
    return is_nothing_to_pipeline ? Outcome<>() : add(job, mode, run);
  }

  Outcome<> add(const Job& job, const std::string& mode, const Measurement& run) {
    const std::string problem = problem_of(run, offer_);
    ++(problem.empty() ? measured_ : not_measured_);
    const Cell none{nullptr, "-"};
    const Cell bytes = job.bytes == 0 ? none : Cell{job.bytes, ""};
    if (!problem.empty())
      return say(table_.add({{job.operation, ""}, bytes, {mode, ""}, none, none, none, none, none, {problem, ""}}));
    const double rate = static_cast<double>(run.samples.count()) / std::chrono::duration<double>(run.busy).count();
    const auto microseconds = [&](double share) {
      const double value = static_cast<double>(run.samples.quantile(share)) / 1000;
      return Cell{value, fixed(value, 2)};
    };
    const double throughput = rate * static_cast<double>(job.bytes) / 1e6;
    return say(table_.add({{job.operation, ""},
                           bytes,
                           {mode, ""},
                           {run.samples.count(), ""},
                           microseconds(0.5),
                           microseconds(0.99),
                           {rate, number_text(static_cast<uint64_t>(rate))},
                           job.bytes == 0 ? none : Cell{throughput, fixed(throughput, 1)},
                           {nullptr, ""}}));
  }

  Outcome<> say(const std::string& text) const { return options_.as_json ? Outcome<>() : write_text(text); }

  Json result() const {
    return {{"library_version", wvds_library_version()},
            {"fips_state", fips_state_word(offer_.fips_state)},
            {"requests_per_second", offer_.requests_per_second},
            {"burst", offer_.burst},
            {"slots", offer_.num_slots},
            {"seconds", options_.seconds},
            {"results", table_.rows()}};
  }

  // What this user may not do is no failure, unless it was asked for by name or nothing is left.
  Outcome<> verdict() const {
    if (not_measured_ == 0 || (measured_ > 0 && options_.operations.empty())) return {};
    return failed(std::to_string(not_measured_) + " of " + std::to_string(measured_ + not_measured_) +
                  " runs gave no figure; the table says why");
  }

  const BenchOptions& options_;
  Session session_;
  const wvds_capability_list& offer_;
  Table table_{{{"operation", "OPERATION", 13},
                {"bytes", "BYTES", 6},
                {"mode", "MODE", 10},
                {"count", "COUNT", 9},
                {"median_us", "MEDIAN us", 10},
                {"p99_us", "P99 us", 10},
                {"rate", "REQUESTS/s", 11},
                {"mb_per_second", "MB/s", 9},
                {"problem", "", 0}}};
  int measured_ = 0;
  int not_measured_ = 0;
};

Outcome<> run_bench(const Tool& tool, const BenchOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  wvds_capability_list offer{};
  TOOL_TRY(check(waiting_out([&] { return wvds_capabilities(session.get(), &offer); }), "capabilities"));
  return Bench(options, std::move(session), offer).run();
}

}  // namespace

void add_bench_command(CLI::App& app, Tool& tool) {
  auto* command = app.add_subcommand("bench", "Measure what the service does on this machine, with session keys only");
  auto options = std::make_shared<BenchOptions>();
  command->add_option("--seconds", options->seconds, "How long each line of the table is measured")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  command->add_option("--operation", options->operations, "Only this one; may be given more than once")
      ->check(CLI::IsMember(operation_words()))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--mode", options->mode,
                   "One request after the other, as many at once as a session has slots, or both")
      ->check(CLI::IsMember({"simple", "pipelined", "both"}))
      ->capture_default_str();
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_bench);
}

}  // namespace wvds::tool
