#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/wvds/outcome.h"

// What a command prints: described once, shown to people as text and to programs as one JSON object (--json).
namespace wvds::tool {

using Json = nlohmann::ordered_json;

// Member is a field of the JSON object. Its name is documented in the command's man page and stays.
struct Member {
  const char* name;
  Json value;
};

class Report {
 public:
  // line adds "label   text" for people, and for programs what the text says.
  void line(const std::string& label, const std::string& text, std::initializer_list<Member> members);

  // only_text and only_json add what the other form has no place for.
  void only_text(const std::string& line) { text_ += line + "\n"; }
  void only_json(std::initializer_list<Member> members);

  // part adds another report under a name of its own: its lines follow, its members are one object.
  void part(const char* name, const Report& other);

  const std::string& text() const { return text_; }
  const Json& members() const { return members_; }

 private:
  std::string text_;
  Json members_ = Json::object();
};

// Column is one of a table: its name in JSON, and its title and least width for people.
struct Column {
  const char* name;
  const char* title;
  size_t width;
};

// Cell is a value in both forms; where there is no text, what JSON has.
struct Cell {
  Json value;
  std::string text;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  std::string head() const;
  // add keeps a row for json() and gives its line.
  std::string add(const std::vector<Cell>& cells);
  const Json& rows() const { return rows_; }

 private:
  std::string line(const std::vector<std::string>& texts) const;
  std::vector<Column> columns_;
  Json rows_ = Json::array();
};

// json_text is one line. Bytes that are no UTF-8 are replaced.
std::string json_text(const Json& value);

Outcome<> print(const Report& report, bool as_json);

}  // namespace wvds::tool
