#include <algorithm>
#include <vector>

#include "est/text.h"
#include "est/url.h"

namespace wvds::est {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// append_group takes "2001" as two bytes.
bool append_group(std::string_view text, std::vector<uint8_t>& out) {
  if (text.empty() || text.size() > 4) return false;
  unsigned value = 0;
  for (const char c : lower_case(text)) {
    if (!is_digit(c) && (c < 'a' || c > 'f')) return false;
    value = value * 16 + static_cast<unsigned>(is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
  return true;
}

// groups_of takes what stands on one side of "::"; the last group of an address may be an IPv4 address.
std::optional<std::vector<uint8_t>> groups_of(std::string_view text, bool last) {
  std::vector<uint8_t> out;
  if (text.empty()) return out;
  const auto groups = split(text, ':');
  if (groups.size() > 8) return std::nullopt;
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto v4 = last && i + 1 == groups.size() ? parse_ipv4(groups[i]) : std::nullopt;
    if (v4) {
      out.insert(out.end(), v4->begin(), v4->end());
    } else if (!append_group(groups[i], out)) {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<std::array<uint8_t, 4>> parse_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  std::array<uint8_t, 4> address{};
  if (parts.size() != address.size()) return std::nullopt;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto value = decimal(parts[i], 255);
    if (!value || (parts[i].size() > 1 && parts[i].front() == '0')) return std::nullopt;
    address[i] = static_cast<uint8_t>(*value);
  }
  return address;
}

std::optional<std::array<uint8_t, 16>> parse_ipv6(std::string_view text) {
  std::array<uint8_t, 16> address{};
  const size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = groups_of(text.substr(0, gap), !has_gap);
  const auto tail = groups_of(has_gap ? text.substr(gap + 2) : std::string_view(), true);
  if (!head || !tail) return std::nullopt;
  const size_t given = head->size() + tail->size();
  if (has_gap ? given > address.size() - 2 : given != address.size()) return std::nullopt;
  std::ranges::copy(*head, address.begin());
  std::ranges::copy(*tail, address.end() - static_cast<ptrdiff_t>(tail->size()));
  return address;
}

}  // namespace wvds::est
