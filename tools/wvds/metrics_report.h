#pragma once

#include "tools/wvds/report.h"
#include "wvds_crypto.h"

namespace wvds::tool {

// metrics_report describes the counters of the whole service.
Report metrics_report(const wvds_metrics& metrics);

}  // namespace wvds::tool
