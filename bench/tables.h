#pragma once

#include <string>
#include <vector>

#include "bench/aims.h"

// Markdown tables out of counters.
namespace wvds::bench {

// cell gives a table's cell for a counter; a dash where the benchmark has no such variant.
std::string cell(const Counters& counters, const std::string& name, std::string (*format)(double));

std::string row(const std::vector<std::string>& cells);
std::string head(const std::vector<std::string>& names);

// speed_tables: throughput, one processor or two, many keys and sessions, counted uses, the pool.
std::string speed_tables(const Find& find);

}  // namespace wvds::bench
