#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "est/failure.h"
#include "est/operation.h"

// The address of an EST server, and what may be asked for there (RFC 7030, section 3.2.2).
namespace wvds::est {

inline constexpr size_t kMaxUrl = 2048;
inline constexpr size_t kMaxLabel = 255;

struct ServerUrl {
  std::string host;    // a DNS name in lower case, an IPv4 address, or an IPv6 address without brackets
  bool is_ip = false;  // an address, which the server's certificate must hold as one
  uint16_t port = 443;
  std::string label;  // decoded: any text; empty: none

  // authority is host and port as the Host field has them (RFC 9110, section 7.2): "[::1]:8443", without port 443.
  std::string authority() const;
  bool operator==(const ServerUrl&) const = default;
};

// parse_server_url reads "https://HOST[:PORT][/.well-known/est[/LABEL]]". kConfiguration, with what is wrong and what
// to write instead, for anything else.
Outcome<ServerUrl> parse_server_url(std::string_view url);

// check_label says why a text can't be a label: an operation's name, empty, "." or "..", longer than kMaxLabel, or
// with control characters.
Outcome<> check_label(std::string_view label);

// operation_target is what a request line asks for, "/.well-known/est/my%20label/simpleenroll". `certificate_id` is for
// renewal-info only (renewal_info.h).
std::string operation_target(const ServerUrl& server, Operation operation, std::string_view certificate_id = {});

// percent_encode leaves unreserved characters (RFC 3986, section 2.3) as they are.
std::string percent_encode(std::string_view text);

// redirect_target judges a Location field: what to ask for next, where it leads to the same host and port over https.
// RFC 7030, section 3.2.1: a client follows such redirects itself; others need a person's consent, and there is none
// here. kRedirectRefused, naming the place, otherwise. `target` is the one that was asked for.
Outcome<std::string> redirect_target(const ServerUrl& server, std::string_view target, std::string_view location);

// parse_ipv4 and parse_ipv6 read an address; without brackets and zone.
std::optional<std::array<uint8_t, 4>> parse_ipv4(std::string_view text);
std::optional<std::array<uint8_t, 16>> parse_ipv6(std::string_view text);

}  // namespace wvds::est
