#include "bench/summary.h"

#include <algorithm>
#include <cstdio>

#include "bench/aims.h"
#include "bench/cases.h"
#include "bench/tables.h"

namespace wvds::bench {
namespace {

// rank is what the best run has least of.
double rank(const Counters& counters) {
  for (const char* name : {"c_p50", "d_p50", "ready_ms_p50", "resident_mb"}) {
    if (const auto found = counters.find(name); found != counters.end()) return found->second;
  }
  return 0;
}

// is_operation: the others have tables of their own.
bool is_operation(const std::string& name, const Counters& counters) {
  return counters.contains("c_p50") && !name.starts_with(kSpeed);
}

}  // namespace

bool Summary::ReportContext(const Context& context) {
  PrintBasicContext(&GetErrorStream(), context);
  return true;
}

void Summary::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration) continue;
    const std::string name = run.run_name.function_name;
    if (run.error_occurred) {
      failed_ = true;
      std::printf("%-28s FAILED: %s\n", name.c_str(), run.error_message.c_str());
      continue;
    }
    Counters counters;
    for (const auto& [counter, value] : run.counters) counters[counter] = value.value;
    std::printf("%-28s a %8s  b %8s  c %8s  in place %8s  pipelined %8s us  ratio %s\n", name.c_str(),
                cell(counters, "a_p50", microseconds).c_str(), cell(counters, "b_p50", microseconds).c_str(),
                cell(counters, "c_p50", microseconds).c_str(), cell(counters, "c_inplace_p50", microseconds).c_str(),
                cell(counters, "d_p50", microseconds).c_str(), cell(counters, "ratio", two_decimals).c_str());
    std::fflush(stdout);
    keep(name, {run.family_index, run.per_family_instance_index}, counters);
  }
}

void Summary::keep(const std::string& name, Place place, const Counters& counters) {
  const auto found = std::ranges::find(best_, name, &Best::name);
  if (found == best_.end()) {
    const auto behind = std::ranges::upper_bound(best_, place, {}, &Best::place);
    best_.insert(behind, {name, place, counters, 1});
    return;
  }
  ++found->runs;
  if (rank(counters) < rank(found->counters)) found->counters = counters;
}

const Counters* Summary::find(const std::string& name) const {
  const auto found = std::ranges::find(best_, name, &Best::name);
  return found == best_.end() ? nullptr : &found->counters;
}

std::string Summary::median_table() const {
  std::string table = head({"operation", "(a) in process", "(b) hand-over", "(c) service", "(c)/((a)+(b))", "(c)/(a)",
                            "(b) in place", "(c) in place", "(c)/((a)+(b)) in place", "(d) pipelined"});
  for (const auto& [name, place, counters, runs] : best_) {
    if (!is_operation(name, counters)) continue;
    table += row({name, cell(counters, "a_p50", microseconds), cell(counters, "b_p50", microseconds),
                  cell(counters, "c_p50", microseconds), cell(counters, "ratio", two_decimals),
                  cell(counters, "over_a", three_decimals), cell(counters, "b_inplace_p50", microseconds),
                  cell(counters, "c_inplace_p50", microseconds), cell(counters, "ratio_inplace", two_decimals),
                  cell(counters, "d_p50", microseconds)});
  }
  return table;
}

std::string Summary::tail_table() const {
  std::vector<std::string> names{"operation"};
  const std::vector<std::string> variants{"a", "b", "c", "c_inplace"};
  for (const char* variant : {"(a)", "(b)", "(c)", "(c) in place"}) {
    names.push_back(std::string(variant) + " p99");
    names.push_back("p99.9");
  }
  names.push_back("samples");
  std::string table = head(names);
  for (const auto& [name, place, counters, runs] : best_) {
    if (!is_operation(name, counters)) continue;
    std::vector<std::string> cells{name};
    for (const std::string& variant : variants) {
      cells.push_back(cell(counters, variant + "_p99", microseconds));
      cells.push_back(cell(counters, variant + "_p999", microseconds));
    }
    cells.push_back(std::to_string(static_cast<long>(counters.at("c_n"))));
    table += row(cells);
  }
  return table;
}

std::string Summary::process_table() const {
  const Counters* start = find("start");
  const Counters* idle = find("idle");
  std::string table = head({"the service's process", "figure"});
  const auto add = [&](const char* text, const Counters* counters, const char* name, const char* unit) {
    if (counters != nullptr) table += row({text, cell(*counters, name, two_decimals) + unit});
  };
  add("from start to the first accepted connection, median", start, "ready_ms_p50", " ms");
  add("the same, worst of the starts", start, "ready_ms_max", " ms");
  add("resident, 4 sessions that each made a key and a request", idle, "resident_mb", " MB");
  add("of that: its own memory", idle, "anonymous_mb", " MB");
  add("of that: program and libraries, shareable", idle, "file_mb", " MB");
  add("of that: shared with clients", idle, "shared_mb", " MB");
  add("resident, after each session filled all its slots with 64 KB requests", idle, "used_resident_mb", " MB");
  add("processor use while idle, over 5 s", idle, "cpu_percent", " %");
  add("wake-ups in that time", idle, "wakeups", "");
  return table;
}

std::string Summary::aim_table() const {
  std::string table = head({"aim", "measured", ""});
  for (const Aim& aim : aims([this](const std::string& name) { return find(name); })) {
    table += row({aim.text, aim.measured, aim.met ? "met" : "**missed**"});
  }
  return table;
}

std::string Summary::markdown(bool fips) const {
  const size_t runs = best_.empty() ? 0 : std::ranges::max(best_, {}, &Best::runs).runs;
  const std::string best_of = runs > 1 ? "best of " + std::to_string(runs) + " runs" : "one run";
  if (!fips) return "### With the default provider: medians, microseconds, " + best_of + "\n\n" + median_table();
  const Find all = [this](const std::string& name) { return find(name); };
  return "### Medians, microseconds, " + best_of + "\n\n" + median_table() + "\n### Tails, microseconds\n\n" +
         tail_table() + "\n" + speed_tables(all) + "\n### Process\n\n" + process_table() + "\n### Aims\n\n" +
         aim_table();
}

}  // namespace wvds::bench
