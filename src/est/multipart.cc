#include "est/multipart.h"

#include <algorithm>

#include "base/wiped.h"
#include "est/text.h"

namespace wvds::est {
namespace {

std::unexpected<Failure> bad_multipart(const char* what) {
  return failed(FailureKind::kBadHttp, std::string("the multipart body can't be read: ") + what);
}

// RFC 2046, section 5.1.1: bchars
bool is_boundary(std::string_view text) {
  const auto allowed = [](char c) {
    return is_digit(c) || is_letter(c) || (c != '\0' && std::string_view("'()+_,-./:=? ").contains(c));
  };
  return !text.empty() && text.size() <= 70 && !text.ends_with(' ') && std::ranges::all_of(text, allowed);
}

// take_line takes a line and its end off the text.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

enum class Delimiter { kNone, kNext, kLast };

Delimiter delimiter_of(std::string_view line, std::string_view boundary) {
  if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) return Delimiter::kNone;
  const std::string_view rest = without_blanks(line.substr(2 + boundary.size()));
  if (rest == "--") return Delimiter::kLast;
  return rest.empty() ? Delimiter::kNext : Delimiter::kNone;
}

// The line end before a boundary belongs to the boundary.
std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// take_until_delimiter takes lines up to and with the next boundary; what stood before it is `content`.
Delimiter take_until_delimiter(std::string_view& text, std::string_view boundary, std::string_view& content) {
  const std::string_view start = text;
  while (!text.empty()) {
    const size_t before = start.size() - text.size();
    const Delimiter found = delimiter_of(take_line(text), boundary);
    if (found == Delimiter::kNone) continue;
    content = without_line_end(start.substr(0, before));
    return found;
  }
  return Delimiter::kNone;
}

Outcome<Part> read_part(std::string_view content) {
  std::string header;
  while (!content.empty()) {
    const std::string_view line = take_line(content);
    if (line.empty()) break;
    header += line;
    header += "\r\n";
    if (header.size() > kMaxPartHeader) return failed(FailureKind::kTooLarge, "a part's header is too long");
  }
  auto fields = parse_fields(header);
  if (!fields) return std::unexpected(std::move(fields.error()));
  return Part{std::move(*fields), as_bytes(content)};
}

}  // namespace

const std::string* Part::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &HttpField::name);
  return found == fields.end() ? nullptr : &found->value;
}

Outcome<std::vector<Part>> split_multipart(Bytes body, std::string_view boundary) {
  if (!is_boundary(boundary)) return bad_multipart("Content-Type names no boundary");
  std::string_view rest = text_of(body);
  std::string_view content;
  Delimiter delimiter = take_until_delimiter(rest, boundary, content);
  std::vector<Part> parts;
  while (delimiter == Delimiter::kNext) {
    if (parts.size() == kMaxParts) return failed(FailureKind::kTooLarge, "the multipart body has too many parts");
    delimiter = take_until_delimiter(rest, boundary, content);
    if (delimiter == Delimiter::kNone) break;
    auto part = read_part(content);
    if (!part) return std::unexpected(std::move(part.error()));
    parts.push_back(std::move(*part));
  }
  if (delimiter != Delimiter::kLast) return bad_multipart("its boundary is missing at the end");
  return parts;
}

}  // namespace wvds::est
