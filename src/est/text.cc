#include "est/text.h"

#include <algorithm>

namespace wvds::est {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_white(char c) { return is_blank(c) || c == '\r' || c == '\n'; }
bool continues_utf8(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool is_printable(char c) { return c >= ' ' && c <= '~'; }

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// RFC 9110, section 5.6.4: qdtext, and what may follow a backslash.
bool may_be_quoted(char c) { return c == '\t' || (c >= ' ' && c != '\x7f') || static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lowered(c) >= 'a' && lowered(c) <= 'z'; }
bool is_token_character(char c) {
  return is_digit(c) || is_letter(c) || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), lowered);
  return lower;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lowered(x) == lowered(y); });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<uint64_t> decimal(std::string_view text, uint64_t most) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (digit > most || value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::string printable(std::string_view text, size_t limit) {
  std::string out;
  for (const char c : text) {
    const bool white = is_white(c);
    if (continues_utf8(c) || (white && (out.empty() || out.back() == ' '))) continue;
    if (out.size() == limit) return out + "...";
    out += white ? ' ' : is_printable(c) ? c : '?';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

template <class Predicate>
std::string_view FieldReader::take_while(Predicate wanted) {
  const auto end = std::ranges::find_if_not(rest_, wanted);
  const std::string_view taken = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
  rest_.remove_prefix(taken.size());
  return taken;
}

bool FieldReader::accept(char c) {
  if (!next_is(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

bool FieldReader::skip_blanks() { return !take_while(is_blank).empty(); }

std::optional<std::string> FieldReader::token() {
  const std::string_view taken = take_while(is_token_character);
  if (taken.empty()) return std::nullopt;
  return std::string(taken);
}

std::optional<std::string> FieldReader::token68() {
  const std::string_view before = rest_;
  const std::string_view text = take_while(
      [](char c) { return is_digit(c) || is_letter(c) || (c != '\0' && std::string_view("-._~+/").contains(c)); });
  if (text.empty()) return std::nullopt;
  const std::string_view padding = take_while([](char c) { return c == '='; });
  return std::string(before.substr(0, text.size() + padding.size()));
}

std::optional<std::string> FieldReader::quoted_string() {
  if (!next_is('"')) return std::nullopt;
  std::string text;
  for (size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      return text;
    }
    if (rest_[i] == '\\') ++i;
    if (i == rest_.size()) break;
    if (!may_be_quoted(rest_[i])) break;
    text += rest_[i];
  }
  return std::nullopt;
}

std::optional<std::string> FieldReader::token_or_quoted_string() { return next_is('"') ? quoted_string() : token(); }

}  // namespace wvds::est
