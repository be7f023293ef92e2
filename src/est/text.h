#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Text as HTTP has it: ASCII, whatever the locale. Everything read here comes from the network.
namespace wvds::est {

bool is_digit(char c);
bool is_letter(char c);
bool is_token_character(char c);  // RFC 9110, section 5.6.2

std::string lower_case(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view without_blanks(std::string_view text);  // spaces and tabs at both ends

// decimal reads a number of digits only, up to `most`; nothing for any other text and for a larger number.
std::optional<uint64_t> decimal(std::string_view text, uint64_t most);

// printable makes text of a server fit for logs and terminals: at most `limit` characters, each run of blanks and line
// ends one space, every other character that is not printable ASCII one '?'. "..." at the end says that there was more.
std::string printable(std::string_view text, size_t limit);

// FieldReader walks the value of a header field (RFC 9110, section 5.6). What does not fit is an empty answer, and the
// reader stays where it is.
class FieldReader {
 public:
  explicit FieldReader(std::string_view value) : rest_(value) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool accept(char c);
  bool skip_blanks();  // whether there were any
  std::optional<std::string> token();
  std::optional<std::string> token68();  // RFC 9110, section 11.2
  std::optional<std::string> quoted_string();
  std::optional<std::string> token_or_quoted_string();

 private:
  template <class Predicate>
  std::string_view take_while(Predicate wanted);

  std::string_view rest_;
};

}  // namespace wvds::est
