#pragma once

#include "tools/wvds/est/est_service.h"
#include "tools/wvds/report.h"

namespace wvds::tool {

const char* phase_word(uint32_t phase);

bool has_failed(const wvds_est_failure& failure);

// failure_text is "name-mismatch: DETAIL. ADVICE".
std::string failure_text(const wvds_est_failure& failure);

// est_report describes one certificate, or all, and the CA certificates; `now` is in seconds since 1970.
Report est_report(const wvds_est_state& state, const EstCertificate* only, uint64_t now);

// age_text is how long ago a time was.
std::string age_text(uint64_t time, uint64_t now);

}  // namespace wvds::tool
