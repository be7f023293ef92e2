#pragma once

#include <string>
#include <vector>

#include "tools/wvds/report.h"
#include "wvds_crypto.h"

namespace wvds::tool {

// status_report describes the service and what it offers to this user.
Report status_report(const wvds_service_state& state, const wvds_capability_list& offer);

// service_warnings are the service's own, one each; the last one says how many did not fit.
std::vector<std::string> service_warnings(const wvds_service_state& state);

}  // namespace wvds::tool
