// Fuzzes parse_renewal_info, and with the same bytes the two date parsers. Properties: a window ends after its start;
// texts are printable; a date lies within the years that can be written.

#include <cstdlib>
#include <span>
#include <string_view>

#include "est/dates.h"
#include "est/renewal_info.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(const std::string& text) {
  for (const char c : text) require(c >= ' ' && c <= '~');
}

void check_date(std::optional<int64_t> date) { require(!date || (*date > -62200000000 && *date < 253500000000)); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_date(est::parse_rfc3339(text));
  check_date(est::parse_http_date(text, 1795000000));
  const auto info = est::parse_renewal_info(as_bytes(text));
  if (!info) {
    check_text(info.error().detail);
    return 0;
  }
  require(info->window.start < info->window.end);
  check_text(info->explanation_url);
  return 0;
}
