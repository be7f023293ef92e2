#include "config/section.h"

#include <algorithm>

namespace wvds::config {
namespace {

const std::vector<JsonMember> kNoMembers;
const std::vector<JsonValue> kNoItems;

std::string shown(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kText: return "\"" + value.text + "\"";
    case JsonValue::Kind::kNumber: return value.text;
    case JsonValue::Kind::kBool: return value.truth ? "true" : "false";
    default: return json_kind_name(value.kind);
  }
}

}  // namespace

Section::Section(const JsonValue& value, std::string path, Problems& problems)
    : members_(&value.members), line_(value.line), path_(std::move(path)), problems_(problems) {
  if (value.kind == JsonValue::Kind::kObject) return;
  members_ = &kNoMembers;
  problems_.add(value.line, path_, "must be an object { ... }, not " + shown(value));
}

const JsonValue* Section::find(std::string_view name) {
  if (std::ranges::find(asked_for_, name) == asked_for_.end()) asked_for_.emplace_back(name);
  const auto found = std::ranges::find(*members_, name, &JsonMember::name);
  return found == members_->end() ? nullptr : &found->value;
}

const JsonValue* Section::find_of_kind(std::string_view name, JsonValue::Kind kind) {
  const JsonValue* value = find(name);
  if (value == nullptr || value->kind == kind) return value;
  problem(value->line, name, std::string("must be ") + json_kind_name(kind) + ", not " + shown(*value));
  return nullptr;
}

void Section::text(std::string_view name, std::string& out) {
  const JsonValue* value = find_of_kind(name, JsonValue::Kind::kText);
  if (value == nullptr) return;
  if (value->text.empty() || value->text.find('\0') != std::string::npos) {
    return problem(value->line, name, "must not be empty or contain a zero byte");
  }
  out = value->text;
}

void Section::required_text(std::string_view name, std::string& out) {
  text(name, out);
  if (std::ranges::find(*members_, name, &JsonMember::name) == members_->end()) {
    problem(line_, name, "is missing: a text is needed here");
  }
}

void Section::truth(std::string_view name, bool& out) {
  if (const JsonValue* value = find_of_kind(name, JsonValue::Kind::kBool)) out = value->truth;
}

void Section::absolute_path(std::string_view name, std::string& out) {
  std::string path = out;
  text(name, path);
  if (!path.empty() && path.front() != '/')
    return problem(find(name)->line, name, "must be an absolute path, not \"" + path + "\"");
  out = path;
}

void Section::read_number(std::string_view name, uint64_t& out, uint64_t least, uint64_t most) {
  const JsonValue* value = find_of_kind(name, JsonValue::Kind::kNumber);
  if (value == nullptr) return;
  if (value->number && *value->number >= least && *value->number <= most) {
    out = *value->number;
    return;
  }
  problem(
      value->line, name,
      "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", not " + value->text);
}

size_t Section::read_word(std::string_view name, const std::vector<std::string_view>& words) {
  const JsonValue* value = find_of_kind(name, JsonValue::Kind::kText);
  if (value == nullptr) return words.size();
  const auto found = std::ranges::find(words, value->text);
  if (found == words.end()) {
    problem(value->line, name, shown(*value) + " is not known here" + word_advice(value->text, words));
  }
  return static_cast<size_t>(found - words.begin());
}

const std::vector<JsonValue>& Section::list(std::string_view name) {
  const JsonValue* value = find_of_kind(name, JsonValue::Kind::kList);
  return value == nullptr ? kNoItems : value->items;
}

std::string Section::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void Section::problem(int line, std::string_view name, std::string text) {
  problems_.add(line, name.empty() ? path_ : path_of(name), std::move(text));
}

void Section::finish() {
  const std::vector<std::string_view> known(asked_for_.begin(), asked_for_.end());
  for (const JsonMember& member : *members_) {
    if (std::ranges::find(known, member.name) != known.end()) continue;
    problem(member.line, member.name, "unknown key" + word_advice(member.name, known));
  }
}

std::string item_path(std::string_view list, size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

bool is_name(std::string_view text) {
  constexpr size_t kLongest = 32;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

}  // namespace wvds::config
