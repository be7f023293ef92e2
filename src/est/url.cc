#include "est/url.h"

#include <algorithm>

#include "est/text.h"

namespace wvds::est {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::string_view kRoot = "/.well-known/est";
constexpr std::string_view kForm = "write it as https://HOST[:PORT][/.well-known/est[/LABEL]]";
constexpr size_t kShown = 200;

std::unexpected<Failure> wrong(std::string what) { return failed(FailureKind::kConfiguration, std::move(what)); }

bool is_unreserved(char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~'; }
bool is_hex(char c) { return is_digit(c) || (lower_case({&c, 1})[0] >= 'a' && lower_case({&c, 1})[0] <= 'f'); }
bool is_sub_delimiter(char c) { return c != '\0' && std::string_view("!$&'()*+,;=").contains(c); }

// RFC 3986, section 3.3
bool is_path_character(char c) {
  return is_unreserved(c) || is_sub_delimiter(c) || c == ':' || c == '@' || c == '/' || c == '%';
}

unsigned hex_value(char c) { return static_cast<unsigned>(is_digit(c) ? c - '0' : lower_case({&c, 1})[0] - 'a' + 10); }

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return std::nullopt;
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

// RFC 1123, section 2.1, and underscores, which private networks have.
bool is_dns_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; });
}

bool is_dns_name(std::string_view name) {
  if (name.size() > 253) return false;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    if (!is_dns_label(name.substr(at, end - at))) return false;
    at = end + 1;
  }
  return true;
}

// A name whose last part is a number would be taken for an address by others.
bool looks_like_ipv4(std::string_view host) {
  const size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return std::ranges::all_of(last, is_digit);
}

struct Authority {
  std::string host;
  bool is_ip = false;
  uint16_t port = 443;
};

Outcome<> read_host(std::string_view text, Authority& out) {
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return wrong("the host has letters outside ASCII: write its xn-- form (punycode)");
  }
  out.host = lower_case(text);
  out.is_ip = parse_ipv4(text).has_value();
  if (out.is_ip) return {};
  if (text.ends_with('.')) return wrong("the host ends with a dot: leave it out");
  if (text.empty() || !is_dns_name(text) || looks_like_ipv4(text)) {
    return wrong("\"" + printable(text, kShown) + "\" is neither a host name nor an address");
  }
  return {};
}

Outcome<> read_bracketed_host(std::string_view text, Authority& out) {
  if (text.contains('%')) return wrong("an IPv6 address with a zone can't be used: write one without %");
  if (!parse_ipv6(text)) return wrong("\"" + printable(text, kShown) + "\" is no IPv6 address");
  out.host = lower_case(text);
  out.is_ip = true;
  return {};
}

Outcome<> read_port(std::string_view text, Authority& out) {
  const auto port = decimal(text, 65535);
  if (!port || *port == 0) return wrong("the port must be a number from 1 to 65535");
  out.port = static_cast<uint16_t>(*port);
  return {};
}

Outcome<Authority> parse_authority(std::string_view text) {
  Authority out;
  if (text.contains('@'))
    return wrong("user name and password don't belong into the address: leave out what is before @");
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("a ] is missing after the IPv6 address");
    if (auto host = read_bracketed_host(text.substr(1, end - 1), out); !host) return std::unexpected(host.error());
    rest = text.substr(end + 1);
  } else {
    const size_t end = std::min(text.find(':'), text.size());
    if (text.find(':', end + 1) != std::string_view::npos) return wrong("an IPv6 address stands in brackets: [::1]");
    if (auto host = read_host(text.substr(0, end), out); !host) return std::unexpected(host.error());
    rest = text.substr(end);
  }
  if (rest.empty()) return out;
  if (!rest.starts_with(':')) return wrong("after the host only a colon and the port may follow");
  if (auto port = read_port(rest.substr(1), out); !port) return std::unexpected(port.error());
  return out;
}

Outcome<std::string> label_of(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty() || path == kRoot) return std::string();
  if (!path.starts_with(kRoot) || path[kRoot.size()] != '/') {
    return wrong("the path \"" + printable(path, kShown) + "\" can't be used; " + std::string(kForm));
  }
  const std::string_view segment = path.substr(kRoot.size() + 1);
  if (segment.contains('/')) return wrong("there can be one label only; a / in it is written as %2F");
  if (!std::ranges::all_of(segment, is_path_character)) {
    return wrong("the label has characters that must be percent-encoded, such as %20 for a space");
  }
  auto label = percent_decode(segment);
  if (!label) return wrong("after a % two hexadecimal digits must follow");
  if (auto good = check_label(*label); !good) return std::unexpected(good.error());
  return std::move(*label);
}

std::unexpected<Failure> refused(std::string_view location, std::string why) {
  return failed(FailureKind::kRedirectRefused, "redirected to " + printable(location, kShown) + ": " + std::move(why));
}

bool same_host(const ServerUrl& server, const Authority& other) {
  if (server.port != other.port || server.is_ip != other.is_ip) return false;
  const auto ours = parse_ipv6(server.host);
  return ours ? ours == parse_ipv6(other.host) : server.host == other.host;
}

bool has_dot_segments(std::string_view path) {
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    if (segment == "." || segment == "..") return true;
    at = end + 1;
  }
  return false;
}

// checked_target takes path and query, the path beginning with a slash.
Outcome<std::string> checked_target(std::string_view target, std::string_view location) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto allowed = [](char c) { return is_path_character(c) || c == '?'; };
  if (!path.starts_with('/') || !std::ranges::all_of(target, allowed) || has_dot_segments(path)) {
    return refused(location, "that is no path a server asks for");
  }
  return std::string(target);
}

}  // namespace

std::string ServerUrl::authority() const {
  const std::string name = host.contains(':') ? "[" + host + "]" : host;
  return port == 443 ? name : name + ":" + std::to_string(port);
}

Outcome<ServerUrl> parse_server_url(std::string_view url) {
  if (url.size() > kMaxUrl) return wrong("the address is longer than " + std::to_string(kMaxUrl) + " characters");
  if (!equal_ignoring_case(url.substr(0, kScheme.size()), kScheme)) {
    return wrong("the address must begin with https://; " + std::string(kForm));
  }
  const std::string_view rest = url.substr(kScheme.size());
  if (rest.find_first_of("?#") != std::string_view::npos) return wrong("the address has no ? and no #");
  const size_t slash = std::min(rest.find('/'), rest.size());
  auto authority = parse_authority(rest.substr(0, slash));
  if (!authority) return std::unexpected(authority.error());
  auto label = label_of(rest.substr(slash));
  if (!label) return std::unexpected(label.error());
  return ServerUrl{std::move(authority->host), authority->is_ip, authority->port, std::move(*label)};
}

// RFC 7030, section 3.2.2: a label must not be the same as an operation's path segment. "." and ".." would be taken for
// steps in the path, encoded or not (RFC 3986, section 6.2.2.2).
Outcome<> check_label(std::string_view label) {
  if (label.empty() || label == "." || label == "..") return wrong("the label can't be empty, . or ..");
  if (label.size() > kMaxLabel) return wrong("the label is longer than " + std::to_string(kMaxLabel) + " bytes");
  if (std::ranges::any_of(label, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; })) {
    return wrong("the label has control characters");
  }
  if (is_operation_path(label)) {
    return wrong("\"" + std::string(label) + "\" is an operation and can't be a label: leave it out of the address");
  }
  return {};
}

std::string operation_target(const ServerUrl& server, Operation operation, std::string_view certificate_id) {
  std::string target(kRoot);
  if (!server.label.empty()) target += "/" + percent_encode(server.label);
  target += "/";
  target += operation_info(operation).path;
  if (!certificate_id.empty()) target += "/" + percent_encode(certificate_id);
  return target;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0x0f];
  }
  return out;
}

Outcome<std::string> redirect_target(const ServerUrl& server, std::string_view target, std::string_view location) {
  const std::string_view place = location.substr(0, location.find('#'));
  if (place.empty() || location.size() > kMaxUrl) return refused(location, "an empty or too long address");
  const bool whole = equal_ignoring_case(place.substr(0, kScheme.size()), kScheme);
  if (whole || place.starts_with("//")) {
    const std::string_view rest = place.substr(whole ? kScheme.size() : 2);
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = parse_authority(rest.substr(0, end));
    if (!authority || !same_host(server, *authority))
      return refused(location, "another server than the configured one");
    const std::string_view path = rest.substr(end);
    return checked_target(path.starts_with('/') ? std::string(path) : "/" + std::string(path), location);
  }
  if (place.starts_with('/')) return checked_target(place, location);
  const size_t first = place.find_first_of(":/?");
  if (first != std::string_view::npos && place[first] == ':') return refused(location, "not https");
  const std::string_view asked = target.substr(0, target.find('?'));
  const std::string_view base = place.starts_with('?') ? asked : asked.substr(0, asked.rfind('/') + 1);
  return checked_target(std::string(base) + std::string(place), location);
}

}  // namespace wvds::est
