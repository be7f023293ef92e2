#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "est/failure.h"

// The server's advice when to renew: /renewal-info of draft-ietf-lamps-est-renewal-info-00 (the text of
// draft-yusef-lamps-rfc7030-renewal-recommendation-03), which takes over the resource of ACME (RFC 9773).
namespace wvds::est {

inline constexpr size_t kMaxRenewalInfo = 16 << 10;
inline constexpr int64_t kRenewalInfoInterval =
    int64_t{6} * 3600;  // seconds until the next look after an error (RFC 9773, 4.3.3)

// RenewalWindow is the time in which the CA recommends to renew, in Unix seconds, start < end.
struct RenewalWindow {
  int64_t start = 0;
  int64_t end = 0;

  bool operator==(const RenewalWindow&) const = default;
};

struct RenewalInfo {
  RenewalWindow window;
  std::string explanation_url;  // RFC 9773 only: printable; for the operator. Empty: none
};

// renewal_certificate_id names a certificate in the path of /renewal-info: base64url of the authority key identifier, a
// period, and base64url of the serial number's DER content (with the zero byte before a set first bit), both without
// padding. kConfiguration when one is empty or over 64 bytes: then the server can't be asked.
Outcome<std::string> renewal_certificate_id(Bytes authority_key_identifier, Bytes serial_number);

// parse_renewal_info reads the answer. It is JSON without base64. kBadHttp for what is not as the draft says; a window
// that does not end after its start counts as no answer (RFC 9773, section 4.2). kTooLarge over kMaxRenewalInfo.
Outcome<RenewalInfo> parse_renewal_info(Bytes json);

// renewal_info_delay says after how many seconds to look again: what Retry-After says (0: nothing), held between a
// minute and a day (RFC 9773, section 4.3.2).
int64_t renewal_info_delay(int64_t retry_after);

}  // namespace wvds::est
