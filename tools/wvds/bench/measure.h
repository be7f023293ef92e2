#pragma once

#include <chrono>

#include "tools/wvds/bench/samples.h"
#include "tools/wvds/bench/workload.h"

namespace wvds::tool {

// Measurement is what a run gave. Where `status` is not WVDS_SUCCESS it ended early, and the samples are those before.
struct Measurement {
  Samples samples;
  std::chrono::nanoseconds busy{0};  // while requests were made
  wvds_status status = WVDS_SUCCESS;
};

// measure_simple does one request after the other; measure_pipelined keeps as many in flight as the session has slots.
// Both run for `duration` and for one request at least.
Measurement measure_simple(wvds_session* session, Workload& workload, const wvds_capability_list& offer,
                           std::chrono::nanoseconds duration);
Measurement measure_pipelined(wvds_session* session, Workload& workload, const wvds_capability_list& offer,
                              std::chrono::nanoseconds duration);

}  // namespace wvds::tool
