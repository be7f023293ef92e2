#include "soak/report.h"

#include <algorithm>
#include <cctype>
#include <cstdarg>
#include <cstdio>

namespace wvds::test {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

double microseconds(std::chrono::nanoseconds latency) {
  return std::chrono::duration<double, std::micro>(latency).count();
}

// What the drawing shows the latencies of
constexpr SoakOp kDrawn[] = {SoakOp::kAesEncrypt, SoakOp::kMlDsaSign, SoakOp::kMlKemDecaps, SoakOp::kRandom};

std::string column_name(SoakOp op) {
  std::string name = kSoakOpNames[static_cast<size_t>(op)];
  std::ranges::replace(name, ' ', '_');
  return name;
}

}  // namespace

SoakLatencies latencies_of(const SoakBoard& board) {
  SoakLatencies sum;
  for (const ClientBoard& client : board.clients) {
    for (size_t op = 0; op < kSoakOps; ++op) sum[op] += client.latencies[op].counts();
  }
  return sum;
}

std::string soak_progress(const SoakPoint& point, std::chrono::seconds length, uint64_t wrong) {
  const auto seconds = static_cast<long>(point.at.count());
  return text(
      "soak %ld:%02ld of %ld:%02ld: %llu answers, %llu wrong, service ended %u times, %llu KB, %llu descriptors\n",
      seconds / 60, seconds % 60, static_cast<long>(length.count()) / 60, static_cast<long>(length.count()) % 60,
      static_cast<unsigned long long>(point.checked), static_cast<unsigned long long>(wrong), point.outages,
      static_cast<unsigned long long>(point.service.resident_kb),
      static_cast<unsigned long long>(point.service.descriptors));
}

std::string soak_table(const SoakLatencies& all) {
  std::string table = "| operation | calls | p50 (µs) | p99 | p99.9 | longest |\n|---|---|---|---|---|---|\n";
  for (size_t op = 0; op < kSoakOps; ++op) {
    table += text("| %s | %llu | %.0f | %.0f | %.0f | %.0f |\n", kSoakOpNames[op],
                  static_cast<unsigned long long>(all[op].total()), microseconds(all[op].quantile(0.5)),
                  microseconds(all[op].quantile(0.99)), microseconds(all[op].quantile(0.999)),
                  microseconds(all[op].longest()));
  }
  return table;
}

std::string soak_points_csv(const std::vector<SoakPoint>& points) {
  std::string csv = "seconds,outages,answers,resident_kb,private_kb,mappings,descriptors,threads";
  for (const SoakOp op : kDrawn) csv += "," + column_name(op) + "_p50_us," + column_name(op) + "_p99_us";
  csv += "\n";
  for (const SoakPoint& point : points) {
    const ServiceSample& service = point.service;
    csv += text("%.2f,%u,%llu,%llu,%llu,%llu,%llu,%llu", point.at.count(), point.outages,
                static_cast<unsigned long long>(point.checked), static_cast<unsigned long long>(service.resident_kb),
                static_cast<unsigned long long>(service.private_kb), static_cast<unsigned long long>(service.mappings),
                static_cast<unsigned long long>(service.descriptors), static_cast<unsigned long long>(service.threads));
    for (const SoakOp op : kDrawn) {
      const LatencyCounts& counts = point.latencies[static_cast<size_t>(op)];
      csv += text(",%.1f,%.1f", microseconds(counts.quantile(0.5)), microseconds(counts.quantile(0.99)));
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace wvds::test
