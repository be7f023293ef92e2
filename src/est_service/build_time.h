#pragma once

#include <cstdint>

namespace wvds::est_service {

// build_time is when this program was made, in Unix seconds (SOURCE_DATE_EPOCH where the build sets it): no right clock
// shows an earlier time.
int64_t build_time();

}  // namespace wvds::est_service
