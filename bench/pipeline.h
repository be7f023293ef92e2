#pragma once

#include <algorithm>
#include <deque>
#include <span>

#include "base/result.h"
#include "bench/request.h"
#include "bench/samples.h"
#include "bench/stopwatch.h"

namespace wvds::bench {

// run_pipeline keeps `slots` requests in flight: send(request, in_flight) puts one more behind the others,
// receive(request, in_flight) takes the answer of the first one, which was `request`. A sample is the time per request
// of the whole round, counted while the pipeline is full.
template <class Sent, class Send, class Receive>
Result<> run_pipeline(std::span<const Request> requests, size_t slots, Samples& samples, Send send, Receive receive) {
  const size_t depth = std::min(slots, requests.size());
  std::deque<Sent> in_flight;
  for (size_t i = 0; i < depth; ++i) WVDS_TRY(send(requests[i], in_flight));
  Stopwatch watch;
  watch.start();
  for (size_t i = depth; i < requests.size(); ++i) {
    WVDS_TRY(receive(requests[i - depth], in_flight));
    WVDS_TRY(send(requests[i], in_flight));
  }
  watch.stop();
  for (size_t i = requests.size() - depth; i < requests.size(); ++i) WVDS_TRY(receive(requests[i], in_flight));
  if (requests.size() > depth) samples.add(watch.nanoseconds() / static_cast<double>(requests.size() - depth));
  return {};
}

}  // namespace wvds::bench
