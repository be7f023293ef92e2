#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/json.h"
#include "config/problems.h"

namespace wvds::config {

// Section reads one JSON object of the config. Each reader takes the member of that name; where it is absent the target
// keeps its default, where it is wrong a problem is noted and the target keeps its default too. finish() notes the
// members that no reader asked for.
class Section {
 public:
  // `value` and `problems` must outlive the section. A value that is no object is a problem; the section is then empty.
  Section(const JsonValue& value, std::string path, Problems& problems);

  void text(std::string_view name, std::string& out);
  void required_text(std::string_view name, std::string& out);
  void truth(std::string_view name, bool& out);
  void absolute_path(std::string_view name, std::string& out);

  // number takes a whole number from `least` to `most`.
  template <std::unsigned_integral Number>
  void number(std::string_view name, Number& out, uint64_t least = 0,
              uint64_t most = std::numeric_limits<Number>::max()) {
    uint64_t value = out;
    read_number(name, value, least, most);
    out = static_cast<Number>(value);
  }

  // choice takes one of the words given.
  template <class Value>
  void choice(std::string_view name, Value& out, const std::vector<std::pair<std::string_view, Value>>& words) {
    std::vector<std::string_view> known;
    known.reserve(words.size());
    for (const auto& [word, value] : words) known.push_back(word);
    const size_t index = read_word(name, known);
    if (index < words.size()) out = words[index].second;
  }

  // find gives a member's value for what the readers above don't cover, and null when there is none.
  const JsonValue* find(std::string_view name);

  // list gives the items of a list; none when the member is absent or no list.
  const std::vector<JsonValue>& list(std::string_view name);

  bool has(std::string_view name) { return find(name) != nullptr; }
  int line() const { return line_; }
  std::string path_of(std::string_view name) const;
  void problem(int line, std::string_view name, std::string text);

  void finish();

 private:
  void read_number(std::string_view name, uint64_t& out, uint64_t least, uint64_t most);
  size_t read_word(std::string_view name, const std::vector<std::string_view>& words);
  const JsonValue* find_of_kind(std::string_view name, JsonValue::Kind kind);

  const std::vector<JsonMember>* members_;
  int line_;
  std::string path_;
  Problems& problems_;
  std::vector<std::string> asked_for_;
};

// read_object calls read(section) where `name` stands, and notes what it left over.
template <class Read>
void read_object(Section& parent, std::string_view name, Problems& problems, Read read) {
  const JsonValue* value = parent.find(name);
  if (value == nullptr) return;
  Section section(*value, parent.path_of(name), problems);
  read(section);
  section.finish();
}

// item_path names an element of a list: "clients[3]".
std::string item_path(std::string_view list, size_t index);

// read_words calls take(word, item, path) for each text of the list.
template <class Take>
void read_words(Section& section, std::string_view name, Take take) {
  const std::vector<JsonValue>& items = section.list(name);
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].kind == JsonValue::Kind::kText) {
      take(items[i], item_path(name, i));
    } else {
      section.problem(items[i].line, item_path(name, i), "must be a text");
    }
  }
}

// is_name tells whether a text can be the name of a client or a certificate: 1 to 32 letters, digits, '-', '_' or '.'.
bool is_name(std::string_view text);

}  // namespace wvds::config
