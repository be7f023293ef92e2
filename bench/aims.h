#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wvds::bench {

using Counters = std::map<std::string, double>;

// Find gives a benchmark's counters, or null when it did not run.
using Find = std::function<const Counters*(const std::string&)>;

// microseconds prints nanoseconds as microseconds with three digits or so.
std::string microseconds(double nanoseconds);
std::string two_decimals(double value);
std::string three_decimals(double value);  // for ratios that differ from 1 by percents

// Aim is one line of docs/performance.md, "Aims".
struct Aim {
  std::string text;
  std::string measured;
  bool met = false;
};

// aims judges the best runs. An aim without its benchmark is left out.
std::vector<Aim> aims(const Find& find);

}  // namespace wvds::bench
