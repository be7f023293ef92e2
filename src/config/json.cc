#include "config/json.h"

#include <iterator>
#include <nlohmann/json.hpp>

namespace wvds::config {
namespace {

// LineCounter is where the parser stands. The iterators over the text share one, because the parser copies them.
struct LineCounter {
  int line = 1;
  bool after_line_end = false;  // the character read last ended the line before `line`
};

class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* position, LineCounter* counter) : position_(position), counter_(counter) {}
  reference operator*() const { return *position_; }
  CountingIterator& operator++() {
    counter_->after_line_end = *position_ == '\n';
    if (counter_->after_line_end) ++counter_->line;
    ++position_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return position_ == other.position_; }

 private:
  const char* position_;
  LineCounter* counter_;
};

// TreeBuilder takes the parser's events. Returning false ends the parse with error_ set.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TreeBuilder(const LineCounter& counter) : counter_(counter) {}

  bool null() override { return add(value_of(JsonValue::Kind::kNull)); }
  bool boolean(bool truth) override {
    JsonValue value = value_of(JsonValue::Kind::kBool);
    value.truth = truth;
    return add(std::move(value));
  }
  bool number_integer(number_integer_t number) override { return add_number(std::to_string(number), std::nullopt); }
  bool number_unsigned(number_unsigned_t number) override { return add_number(std::to_string(number), number); }
  bool number_float(number_float_t, const string_t& text) override { return add_number(text, std::nullopt); }
  bool string(string_t& text) override {
    JsonValue value = value_of(JsonValue::Kind::kText);
    value.text = std::move(text);
    return add(std::move(value));
  }
  bool binary(binary_t&) override { return stop("binary data"); }  // not in JSON text
  bool start_object(size_t) override { return open(JsonValue::Kind::kObject); }
  bool start_array(size_t) override { return open(JsonValue::Kind::kList); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override;
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override;

  JsonValue take_root() { return std::move(root_); }
  const JsonError& error() const { return error_; }

 private:
  static JsonValue of_kind(JsonValue::Kind kind, int line) {
    JsonValue value;
    value.kind = kind;
    value.line = line;
    return value;
  }
  JsonValue value_of(JsonValue::Kind kind) const { return of_kind(kind, counter_.line); }
  bool add_number(std::string text, std::optional<uint64_t> number);
  bool add(JsonValue value) { return place(std::move(value)) != nullptr; }
  JsonValue* place(JsonValue value);
  bool open(JsonValue::Kind kind);
  bool close() {
    open_.pop_back();
    return true;
  }
  bool stop(std::string message) {
    error_ = {counter_.line, std::move(message)};
    return false;
  }

  const LineCounter& counter_;
  JsonValue root_;
  std::vector<JsonValue*> open_;  // the containers around the next value; each stays put while it is open
  JsonError error_;
};

// The parser sees a number's end only by the character after it, which may be on the next line.
bool TreeBuilder::add_number(std::string text, std::optional<uint64_t> number) {
  JsonValue value = of_kind(JsonValue::Kind::kNumber, counter_.line - (counter_.after_line_end ? 1 : 0));
  value.text = std::move(text);
  value.number = number;
  return add(std::move(value));
}

JsonValue* TreeBuilder::place(JsonValue value) {
  if (open_.empty()) {
    root_ = std::move(value);
    return &root_;
  }
  JsonValue& around = *open_.back();
  if (around.kind == JsonValue::Kind::kList) return &around.items.emplace_back(std::move(value));
  JsonMember& member = around.members.back();
  member.value = std::move(value);
  return &member.value;
}

bool TreeBuilder::open(JsonValue::Kind kind) {
  if (open_.size() == kMaxJsonDepth) return stop("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  open_.push_back(place(value_of(kind)));
  return true;
}

bool TreeBuilder::key(string_t& name) {
  std::vector<JsonMember>& members = open_.back()->members;
  for (const JsonMember& member : members) {
    if (member.name == name) {
      return stop("\"" + name + "\" stands twice in one object, first in line " + std::to_string(member.line));
    }
  }
  members.push_back({std::move(name), counter_.line, {}});
  return true;
}

// The library's sentence ends with what was read and what was expected; its head repeats a position that we give
// ourselves.
bool TreeBuilder::parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) {
  std::string message = error.what();
  if (const size_t head = message.find(": "); head != std::string::npos) message.erase(0, head + 2);
  error_ = {counter_.line - (counter_.after_line_end ? 1 : 0), std::move(message)};
  return false;
}

}  // namespace

const char* json_kind_name(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::kNull: return "null";
    case JsonValue::Kind::kBool: return "true or false";
    case JsonValue::Kind::kNumber: return "a number";
    case JsonValue::Kind::kText: return "a text";
    case JsonValue::Kind::kList: return "a list";
    case JsonValue::Kind::kObject: return "an object";
  }
  return "";
}

std::expected<JsonValue, JsonError> parse_json(std::string_view text) {
  if (text.size() > kMaxJsonSize) {
    return std::unexpected(JsonError{1, "larger than " + std::to_string(kMaxJsonSize) + " bytes"});
  }
  LineCounter counter;
  TreeBuilder builder(counter);
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): `last` is the end
  const CountingIterator first(text.data(), &counter);
  const CountingIterator last(text.data() + text.size(), &counter);
  constexpr bool kWholeText = true;
  constexpr bool kIgnoreComments = true;
  if (!nlohmann::json::sax_parse(first, last, &builder, nlohmann::json::input_format_t::json, kWholeText,
                                 kIgnoreComments)) {
    return std::unexpected(builder.error());
  }
  return builder.take_root();
}

}  // namespace wvds::config
