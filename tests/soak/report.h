#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "soak/board.h"
#include "support/service_sample.h"

namespace wvds::test {

using SoakLatencies = std::array<LatencyCounts, kSoakOps>;

// SoakPoint is what was seen at one moment of a soak.
struct SoakPoint {
  std::chrono::duration<double> at{};  // since the beginning
  uint32_t outages = 0;                // of the service until then
  uint64_t checked = 0;                // answers until then
  ServiceSample service;
  SoakLatencies latencies;  // since the point before
};

// latencies_of adds up what all clients counted.
SoakLatencies latencies_of(const SoakBoard& board);

// SoakReport makes texts of a soak: a line while it runs; a table for people; the points, for a drawing.
std::string soak_progress(const SoakPoint& point, std::chrono::seconds length, uint64_t wrong);
std::string soak_table(const SoakLatencies& all);
std::string soak_points_csv(const std::vector<SoakPoint>& points);

}  // namespace wvds::test
