#include "est/renewal_info.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/wiped.h"
#include "crypto/base64.h"
#include "est/dates.h"
#include "est/text.h"

namespace wvds::est {
namespace {

constexpr size_t kMaxIdentifier = 64;
constexpr int kMaxDepth = 8;

std::unexpected<Failure> bad_renewal_info(const char* what) {
  return failed(FailureKind::kBadHttp, std::string("renewal-info can't be used: ") + what);
}

// RFC 4648, section 5
std::optional<std::string> base64url(Bytes bytes) {
  const auto text = crypto::base64_encode(bytes);
  if (!text) return std::nullopt;
  std::string out(text_of(*text));
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

const std::string* text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::optional<int64_t> time_member(const nlohmann::json& object, const char* name) {
  const std::string* text = text_member(object, name);
  return text == nullptr ? std::nullopt : parse_rfc3339(*text);
}

// parse_json returns a discarded value for text that is no JSON or nested deeper than any answer is.
nlohmann::json parse_json(std::string_view text) {
  bool too_deep = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  constexpr bool kThrow = false;
  auto parsed = nlohmann::json::parse(text.begin(), text.end(), watch, kThrow);
  return too_deep ? nlohmann::json(nlohmann::json::value_t::discarded) : parsed;
}

}  // namespace

Outcome<std::string> renewal_certificate_id(Bytes authority_key_identifier, Bytes serial_number) {
  for (const Bytes part : {authority_key_identifier, serial_number}) {
    if (part.empty() || part.size() > kMaxIdentifier) {
      return failed(FailureKind::kConfiguration, "the certificate has no authority key identifier or serial number");
    }
  }
  const auto authority = base64url(authority_key_identifier);
  const auto serial = base64url(serial_number);
  if (!authority || !serial) return failed(FailureKind::kConfiguration, "the certificate can't be named");
  return *authority + "." + *serial;
}

Outcome<RenewalInfo> parse_renewal_info(Bytes json) {
  if (json.size() > kMaxRenewalInfo) {
    return failed(FailureKind::kTooLarge, "renewal-info is longer than " + std::to_string(kMaxRenewalInfo) + " bytes");
  }
  const nlohmann::json root = parse_json(text_of(json));
  if (!root.is_object()) return bad_renewal_info("it is not a JSON object");
  const auto window = root.find("suggestedWindow");
  if (window == root.end() || !window->is_object()) return bad_renewal_info("it has no suggestedWindow");
  const auto start = time_member(*window, "start");
  const auto end = time_member(*window, "end");
  if (!start || !end) return bad_renewal_info("start or end is no time as RFC 3339 writes it");
  if (*end <= *start) return bad_renewal_info("the window does not end after its start");
  RenewalInfo info{{*start, *end}, {}};
  if (const std::string* url = text_member(root, "explanationURL")) info.explanation_url = printable(*url, 500);
  return info;
}

int64_t renewal_info_delay(int64_t retry_after) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kDay = 86400;
  return retry_after <= 0 ? kRenewalInfoInterval : std::clamp(retry_after, kMinute, kDay);
}

}  // namespace wvds::est
