#include "bench/tables.h"

#include <algorithm>
#include <cstdio>

#include "bench/cases.h"

namespace wvds::bench {
namespace {

using Cells = std::vector<std::string> (*)(const Counters&);

std::string in_millions(double nanoseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", 1000 / nanoseconds);
  return text;
}

// table has a row for each of the benchmarks that ran: its name's last part and the cells.
std::string table(const Find& find, const std::string& family, const std::vector<std::string>& members,
                  const std::vector<std::string>& names, Cells cells) {
  std::string rows;
  for (const std::string& member : members) {
    const Counters* counters = find(std::string(kSpeed) + family + member);
    if (counters == nullptr) continue;
    std::vector<std::string> line{member};
    for (std::string& text : cells(*counters)) line.push_back(std::move(text));
    rows += row(line);
  }
  return head(names) + rows;
}

std::vector<std::string> microsecond_cells(const Counters& counters, const std::vector<std::string>& names) {
  std::vector<std::string> cells;
  for (const std::string& name : names) cells.push_back(cell(counters, name, microseconds));
  return cells;
}

std::string throughput_table(const Find& find) {
  return table(find, "throughput/", {"64", "1024", "16384", "65502"},
               {"bytes", "in process, bytes of another processor", "bare hand-over, pipelined", "service, pipelined",
                "million requests a second", "share of the slower limit"},
               [](const Counters& counters) {
                 auto cells = microsecond_cells(counters, {"a_foreign_p50", "b_pipelined_p50", "d_p50"});
                 cells.push_back(cell(counters, "d_p50", in_millions));
                 cells.push_back(cell(counters, "share", two_decimals));
                 return cells;
               });
}

std::string one_processor_table(const Find& find) {
  return table(find, "one_processor/", {"64", "1024", "4096", "8192", "16384", "32768", "65502"},
               {"bytes", "(b) two processors", "(b) one", "(c) two processors", "(c) one", "p99 two", "p99 one"},
               [](const Counters& counters) {
                 return microsecond_cells(counters, {"b_p50", "b_one_p50", "c_p50", "c_one_p50", "c_p99", "c_one_p99"});
               });
}

std::string keys_table(const Find& find) {
  return table(find, "keys/", {"1", "16", "256", "4096", "65536"},
               {"keys", "used before", "p99", "first use of a key in a session", "p99"}, [](const Counters& counters) {
                 return microsecond_cells(counters, {"c_p50", "c_p99", "first_p50", "first_p99"});
               });
}

std::string sessions_table(const Find& find) {
  return table(find, "sessions/", {"1", "16", "64", "256"},
               {"sessions", "one goes on", "p99", "they take turns", "p99"}, [](const Counters& counters) {
                 return microsecond_cells(counters, {"c_p50", "c_p99", "turns_p50", "turns_p99"});
               });
}

std::string stored_table(const Find& find) {
  return table(find, "", {"stored_key"},
               {"64 bytes", "key in memory", "p99", "p99.9", "stored key, uses counted on disk", "p99", "p99.9"},
               [](const Counters& counters) {
                 return microsecond_cells(counters,
                                          {"c_p50", "c_p99", "c_p999", "stored_p50", "stored_p99", "stored_p999"});
               });
}

std::string pool_table(const Find& find) {
  return table(find, "", {"mlkem512_keygen_pooled", "mlkem768_keygen_pooled", "mlkem1024_keygen_pooled"},
               {"session key from the pool", "median", "p99"},
               [](const Counters& counters) { return microsecond_cells(counters, {"c_p50", "c_p99"}); });
}

}  // namespace

std::string cell(const Counters& counters, const std::string& name, std::string (*format)(double)) {
  const auto found = counters.find(name);
  return found == counters.end() ? "-" : format(found->second);
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += " " + text + " |";
  return line + "\n";
}

std::string head(const std::vector<std::string>& names) {
  return row(names) + row(std::vector<std::string>(names.size(), "---"));
}

std::string microseconds(double nanoseconds) {
  const double value = nanoseconds / 1000;
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  return text;
}

std::string two_decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string three_decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

std::string speed_tables(const Find& find) {
  return "### Throughput of AES-256-GCM encryption, microseconds a request\n\n" + throughput_table(find) +
         "\n### Client and worker on one processor or on two, AES-256-GCM encryption, microseconds\n\n" +
         one_processor_table(find) + "\n### Many keys, microseconds for 64 bytes\n\n" + keys_table(find) +
         "\n### Many sessions, microseconds for 64 bytes\n\n" + sessions_table(find) +
         "\n### Counting uses on disk, microseconds\n\n" + stored_table(find) +
         "\n### Keys from the pool, microseconds\n\n" + pool_table(find);
}

}  // namespace wvds::bench
