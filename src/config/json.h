#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// JSON text as a tree that remembers the line of everything, so that a message about a value can say where it stands.
// Comments (// and /* */) are accepted.
namespace wvds::config {

struct JsonMember;

struct JsonValue {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kText, kList, kObject };

  Kind kind = Kind::kNull;
  int line = 0;
  bool truth = false;               // kBool
  std::optional<uint64_t> number;   // kNumber; empty for a negative number, a fraction or one over 2^64 - 1
  std::string text;                 // kText: the value; kNumber: as it stands in the file
  std::vector<JsonValue> items;     // kList
  std::vector<JsonMember> members;  // kObject, in the file's order
};

struct JsonMember {
  std::string name;
  int line = 0;
  JsonValue value;
};

// json_kind_name says what a value is in words: "a list".
const char* json_kind_name(JsonValue::Kind kind);

struct JsonError {
  int line = 0;
  std::string message;
};

inline constexpr size_t kMaxJsonSize = 1 << 20;
inline constexpr size_t kMaxJsonDepth = 16;

// parse_json reads one JSON document. It refuses text over kMaxJsonSize, nesting over kMaxJsonDepth, a name that stands
// twice in one object, and whatever is not JSON in UTF-8.
std::expected<JsonValue, JsonError> parse_json(std::string_view text);

}  // namespace wvds::config
