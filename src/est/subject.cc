#include "est/subject.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "est/x509_text.h"

namespace wvds::est {
namespace {

// RFC 4514, section 3: the keywords that every implementation knows, in any case.
constexpr std::array<std::string_view, 9> kKeywords{"CN", "L", "ST", "O", "OU", "C", "street", "DC", "UID"};
constexpr std::string_view kEscapable = ",+\"\\<>;=# ";

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') return static_cast<unsigned>((c | 0x20) - 'a' + 10);
  return std::nullopt;
}

std::unexpected<Failure> bad_subject(std::string what) {
  return failed(FailureKind::kConfiguration, "the subject can't be read: " + std::move(what));
}

class SubjectParser {
 public:
  explicit SubjectParser(std::string_view text) : rest_(text) {}

  Outcome<Subject> parse() {
    Subject parts;
    do {
      auto part = next_part();
      if (!part) return std::unexpected(std::move(part.error()));
      parts.push_back(std::move(*part));
      if (parts.size() > kMaxSubjectParts) return bad_subject("more than 16 parts");
    } while (accept(','));
    std::ranges::reverse(parts);  // RFC 4514, section 2.1: the text begins with the last element
    return parts;
  }

 private:
  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Outcome<SubjectPart> next_part() {
    auto type = next_type();
    if (!type) return std::unexpected(std::move(type.error()));
    auto value = next_value(*type);
    if (!value) return std::unexpected(std::move(value.error()));
    return SubjectPart{std::move(*type), std::move(*value)};
  }

  Outcome<std::string> next_type() {
    const size_t end = rest_.find('=');
    if (end == std::string_view::npos) return bad_subject("a part without \"=\" (write \"CN=name,O=organisation\")");
    std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    const auto keyword = std::ranges::find_if(kKeywords, [&](auto known) { return same_letters(known, name); });
    const std::string wanted(keyword != kKeywords.end() ? *keyword : name);
    const ObjectHandle object = wanted.empty() ? nullptr : object_of(wanted);
    if (!object) return bad_subject("unknown attribute \"" + std::string(name) + "\"");
    return object_text(object.get());
  }

  Outcome<std::string> next_value(const std::string& type) {
    std::string value;
    size_t kept = 0;  // escaped characters are kept, spaces at the end are not
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (rest_.starts_with('#')) return bad_subject(type + ": values as hexadecimal BER are not supported");
    while (!rest_.empty() && rest_.front() != ',') {
      const bool escaped = rest_.front() == '\\';
      if (!escaped && std::string_view("+;<>\"").find(rest_.front()) != std::string_view::npos)
        return bad_subject(type + ": \"" + rest_.front() + "\" must be written with a backslash before it");
      if (escaped && !take_escape(value)) return bad_subject(type + ": a backslash before nothing to escape");
      if (!escaped) value += rest_.front();
      if (!escaped) rest_.remove_prefix(1);
      if (escaped || value.back() != ' ') kept = value.size();
    }
    value.resize(kept);
    if (value.empty()) return bad_subject(type + " is empty");
    return value;
  }

  // take_escape reads "\," or "\C3".
  bool take_escape(std::string& value) {
    rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    if (kEscapable.find(rest_.front()) != std::string_view::npos) {
      value += rest_.front();
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.size() < 2 || !hex_digit(rest_[0]) || !hex_digit(rest_[1])) return false;
    value += static_cast<char>(*hex_digit(rest_[0]) << 4 | *hex_digit(rest_[1]));
    rest_.remove_prefix(2);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

Outcome<Subject> parse_subject(std::string_view text) {
  if (text.empty()) return Subject{};
  if (text.size() > kMaxSubjectText) return bad_subject("more than 1,024 characters");
  return SubjectParser(text).parse();
}

Outcome<X509NameHandle> make_name(const Subject& subject) {
  X509NameHandle name(X509_NAME_new());
  for (const SubjectPart& part : subject) {
    const ObjectHandle object = object_of(part.type);
    const auto* value = reinterpret_cast<const unsigned char*>(part.value.data());
    if (!name || !object || part.value.empty() ||
        X509_NAME_add_entry_by_OBJ(name.get(), object.get(), MBSTRING_UTF8, value, static_cast<int>(part.value.size()),
                                   -1, 0) != 1) {
      return openssl_failed(FailureKind::kConfiguration,
                            "the subject's " + part.type + " \"" + part.value + "\" can't be encoded");
    }
  }
  return name;
}

}  // namespace wvds::est
