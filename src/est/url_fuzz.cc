// Fuzzes parse_server_url, redirect_target and parse_media_type. Properties: what was parsed can be written and parsed
// again; a target is one line that begins with a slash and has no blanks; details are printable.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "est/media_type.h"
#include "est/url.h"

namespace wvds::est {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_visible(char c) { return c > ' ' && c <= '~'; }

void check_text(const std::string& text) {
  require(std::ranges::all_of(text, [](char c) { return c == ' ' || is_visible(c); }));
}

void check_target(const std::string& target) {
  require(target.starts_with('/') && std::ranges::all_of(target, is_visible));
}

void check(std::string_view text) {
  static const ServerUrl known{"ca.example", false, 443, ""};
  parse_media_type(text);
  const auto redirected = redirect_target(known, "/.well-known/est/cacerts", text);
  redirected ? check_target(*redirected) : check_text(redirected.error().detail);
  const auto server = parse_server_url(text);
  if (!server) return;
  check_text(server->authority());
  check_target(operation_target(*server, Operation::kCaCerts));
  const std::string label = server->label.empty() ? "" : "/.well-known/est/" + percent_encode(server->label);
  require(parse_server_url("https://" + server->authority() + label) == *server);
}

}  // namespace
}  // namespace wvds::est

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wvds::est::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
