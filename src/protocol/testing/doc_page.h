#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

// docs/protocol.md, and other pages of docs/, taken apart for tests.
namespace wvds::protocol::testing {

inline std::string page_named(const std::string& name) {
  std::ifstream file(WVDS_SOURCE_DIR "/docs/" + name);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

inline const std::string& page() {
  static const std::string content = page_named("protocol.md");
  return content;
}

inline std::vector<std::string> lines_of(const std::string& source) {
  std::vector<std::string> lines;
  std::istringstream in(source);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// hex_blocks gives the source of every block "```hex NAME", without comments.
inline std::map<std::string, std::string> hex_blocks(const std::string& source = page()) {
  constexpr std::string_view kStart = "```hex ";
  std::map<std::string, std::string> blocks;
  std::string* open = nullptr;
  for (const std::string& line : lines_of(source)) {
    if (line.starts_with(kStart)) {
      const auto [at, is_new] = blocks.emplace(line.substr(kStart.size()), "");
      EXPECT_TRUE(is_new) << "two blocks " << at->first;
      open = &at->second;
    } else if (line == "```") {
      open = nullptr;
    } else if (open != nullptr) {
      *open += line.substr(0, line.find('#')) + '\n';
    }
  }
  return blocks;
}

// section gives the text from a heading to the next one of its level or above.
inline std::string section(const std::string& heading) {
  const size_t level = heading.find(' ');
  std::string out;
  bool inside = false;
  for (const std::string& line : lines_of(page())) {
    const bool is_heading = line.starts_with("#") && line.find(' ') <= level;
    if (is_heading) inside = line == heading;
    if (inside) out += line + '\n';
  }
  EXPECT_FALSE(out.empty()) << "no section " << heading;
  return out;
}

using Row = std::vector<std::string>;

inline Row cells_of(const std::string& line) {
  Row cells;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    const size_t first = cell.find_first_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
  }
  return cells;
}

// table gives the rows below the first header in `text` whose first cells are `header`.
inline std::vector<Row> table(const std::string& source, const Row& header) {
  std::vector<Row> rows;
  bool inside = false;
  for (const std::string& line : lines_of(source)) {
    if (!line.starts_with("|")) {
      if (!rows.empty()) break;
      inside = false;
      continue;
    }
    const Row cells = cells_of(line);
    if (inside && !cells[0].starts_with("---")) rows.push_back(cells);
    if (!inside)
      inside = std::equal(header.begin(), header.end(), cells.begin(),
                          cells.begin() + std::min(header.size(), cells.size()));
  }
  EXPECT_FALSE(rows.empty()) << "no table " << header[0];
  return rows;
}

inline size_t number(std::string cell) {
  std::erase(cell, ',');
  return std::stoul(cell, nullptr, 0);
}

}  // namespace wvds::protocol::testing
