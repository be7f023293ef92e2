#include "tools/wvds/est/attempt.h"

#include <algorithm>
#include <string_view>

namespace wvds::tool {
namespace {

bool has_failed(const wvds_est_failure& failure) { return failure.name[0] != '\0'; }

bool is_same(const wvds_est_failure& a, const wvds_est_failure& b) {
  return a.at == b.at && std::string_view(a.name) == b.name && std::string_view(a.detail) == b.detail;
}

}  // namespace

// A wrong clock stops every attempt before it is counted as a failure of one certificate.
Ended how_it_ended(const Seen& before, const Seen& now) {
  const wvds_est_certificate_state &was = before.certificate, &is = now.certificate;
  if (now.attempts == before.attempts) return Ended::kNotYet;
  const bool is_new = !std::ranges::equal(was.fingerprint, is.fingerprint);
  const bool failed_anew = was.num_failures != is.num_failures || !is_same(was.failure, is.failure);
  const bool clock_is_wrong = std::string_view(is.failure.name) == "clock";
  if (has_failed(is.failure) && (is_new || failed_anew || clock_is_wrong)) return Ended::kFailed;
  if (is_new) return Ended::kInstalled;
  const bool is_pending = is.phase == WVDS_EST_WAITING || is.next_attempt < is.renew_at;
  return is_pending && is.next_attempt != was.next_attempt ? Ended::kLater : Ended::kNotYet;
}

Ended how_fetch_ended(const wvds_est_state& before, const wvds_est_state& now, uint64_t asked_at) {
  if (now.num_attempts == before.num_attempts) return Ended::kNotYet;
  if (has_failed(now.ca_failure)) {
    const bool is_new = !is_same(now.ca_failure, before.ca_failure) || now.ca_failure.at + 1 >= asked_at;
    return is_new ? Ended::kFailed : Ended::kNotYet;
  }
  const bool is_new = now.ca_fetched_at != before.ca_fetched_at || now.ca_fetched_at + 1 >= asked_at;
  return is_new ? Ended::kInstalled : Ended::kNotYet;
}

}  // namespace wvds::tool
