// wvds_bench measures the service against the same cryptography in process and against a bare hand-over. Besides Google
// Benchmark's options:
//   --service=PROGRAM   the wvds_crypto_service to measure; the one built with it by default
//   --summary=FILE      writes the Markdown tables of docs/performance.md there
//   --fips=off          measures OpenSSL's default provider instead of the FIPS provider, in process and in the service
//   --effort=NUMBER     scales the number of rounds; 0.1 is enough for a look
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/runner.h"
#include "bench/summary.h"

namespace {

struct Options {
  std::string service = WVDS_SERVICE_PROGRAM;
  std::string summary;
  double effort = 1;
  bool fips = true;
};

bool take(std::string_view argument, std::string_view name, std::string& out) {
  if (!argument.starts_with(name)) return false;
  out = argument.substr(name.size());
  return true;
}

// take_options removes this program's own options from the arguments.
Options take_options(std::vector<char*>& arguments) {
  Options options;
  std::string effort, fips;
  std::erase_if(arguments, [&](const char* argument) {
    return take(argument, "--service=", options.service) || take(argument, "--summary=", options.summary) ||
           take(argument, "--effort=", effort) || take(argument, "--fips=", fips);
  });
  if (!effort.empty()) options.effort = std::atof(effort.c_str());
  options.fips = fips != "off";
  return options;
}

int measure(const Options& options) {
  auto world = wvds::bench::World::open(options.service, options.fips);
  if (!world) {
    std::fprintf(stderr, "%s (%s)\n", world.error().detail.c_str(), wvds::status_name(world.error().status));
    return 1;
  }
  wvds::bench::register_operations(**world, options.effort);
  wvds::bench::register_footprint(**world, options.effort);
  wvds::bench::Summary summary;
  benchmark::RunSpecifiedBenchmarks(&summary);
  const std::string tables = summary.markdown(options.fips);
  std::printf("\n%s", tables.c_str());
  if (!options.summary.empty()) std::ofstream(options.summary) << tables;
  return summary.failed() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const Options options = take_options(arguments);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  return measure(options);
}
