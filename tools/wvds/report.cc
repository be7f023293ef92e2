#include "tools/wvds/report.h"

#include "tools/wvds/files.h"
#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

constexpr size_t kLabelWidth = 15;

std::string text_of(const Cell& cell) {
  if (!cell.text.empty() || cell.value.is_null()) return cell.text;
  return cell.value.is_string() ? cell.value.get<std::string>() : cell.value.dump();
}

}  // namespace

void Report::line(const std::string& label, const std::string& text, std::initializer_list<Member> members) {
  only_text(padded(label, kLabelWidth) + text);
  only_json(members);
}

void Report::only_json(std::initializer_list<Member> members) {
  for (const Member& member : members) members_[member.name] = member.value;
}

void Report::part(const char* name, const Report& other) {
  text_ += other.text_;
  members_[name] = other.members_;
}

std::string Table::head() const {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title);
  return line(titles);
}

std::string Table::add(const std::vector<Cell>& cells) {
  Json row = Json::object();
  std::vector<std::string> texts;
  for (size_t i = 0; i < cells.size(); ++i) {
    row[columns_[i].name] = cells[i].value;
    texts.push_back(text_of(cells[i]));
  }
  rows_.push_back(std::move(row));
  return line(texts);
}

std::string Table::line(const std::vector<std::string>& texts) const {
  std::string line;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) line += ' ';
    line += padded(texts[i], columns_[i].width);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string json_text(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Outcome<> print(const Report& report, bool as_json) {
  return write_text(as_json ? json_text(report.members()) : report.text());
}

}  // namespace wvds::tool
