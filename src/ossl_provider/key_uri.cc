#include "ossl_provider/key_uri.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace wvds::ossl_provider {
namespace {

constexpr std::string_view kSyntax = "; a key is named as wvds:key=7, or wvds:key=7;socket=/path/of/its/socket";

std::unexpected<Error> refusal(const std::string& what) {
  return fail(Status::kInvalidArgument, what + std::string(kSyntax));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// printable shortens what comes from outside to what may stand in a message.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, 40));
  std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

std::optional<char> from_hex(std::string_view digits) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 2 || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<char>(value);
}

// decoded turns %XX into the byte that it stands for (RFC 3986, section 2.1).
Result<std::string> decoded(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte) return refusal("a % in the URI is not followed by two hexadecimal digits");
    if (*byte == '\0') return refusal("the URI has a zero byte (%00)");
    plain += *byte;
    i += 2;
  }
  return plain;
}

Result<uint32_t> key_id_of(std::string_view text) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == 0)
    return refusal("\"" + printable(text) + "\" is no key's number");
  return id;
}

// take reads one part, NAME=VALUE, into `uri`.
Result<> take(std::string_view part, KeyUri& uri) {
  const size_t equals = part.find('=');
  const std::string_view name = part.substr(0, equals);
  if (name != "key" && name != "socket") return refusal("the URI has an unknown part \"" + printable(name) + "\"");
  WVDS_ASSIGN(value, decoded(equals == part.npos ? std::string_view() : part.substr(equals + 1)));
  if (value.empty()) return refusal("\"" + std::string(name) + "\" has no value in the URI");
  if (name == "key" ? uri.key_id != 0 : !uri.socket.empty())
    return refusal("\"" + std::string(name) + "\" stands twice in the URI");
  if (name == "socket") {
    uri.socket = std::move(value);
    return {};
  }
  WVDS_ASSIGN(id, key_id_of(value));
  uri.key_id = id;
  return {};
}

}  // namespace

bool is_key_uri(std::string_view uri) {
  const std::string_view scheme = kScheme;
  return uri.size() > scheme.size() && uri[scheme.size()] == ':' &&
         std::ranges::equal(uri.substr(0, scheme.size()), scheme, {}, lower);
}

Result<KeyUri> parse_key_uri(std::string_view uri) {
  if (!is_key_uri(uri)) return refusal("\"" + printable(uri) + "\" does not begin with wvds:");
  if (uri.size() > kMaxUriSize) return refusal("the URI is too long");
  if (uri.find('\0') != uri.npos) return refusal("the URI has a zero byte");
  KeyUri parsed;
  for (std::string_view rest = uri.substr(uri.find(':') + 1);;) {
    const size_t end = rest.find(';');
    WVDS_TRY(take(rest.substr(0, end), parsed));
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  if (parsed.key_id == 0) return refusal("the URI names no key");
  return parsed;
}

}  // namespace wvds::ossl_provider
