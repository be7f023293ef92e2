#include "bench/variant.h"

namespace wvds::bench {

Result<> Variant::measure(std::span<const Request> requests, Samples& samples) {
  for (const Request& request : requests) {
    work_.load(request);
    Stopwatch watch;
    WVDS_TRY(once(work_, watch));
    samples.add(watch.nanoseconds());
  }
  return {};
}

Result<> Variant::once(Work&, Stopwatch&) { return fail(Status::kInternalError, "measured as a whole"); }

Result<> CallVariant::once(Work& work, Stopwatch& watch) {
  watch.start();
  Result<> done = call_(work);
  watch.stop();
  if (!done || !after_) return done;
  return after_(work);
}

}  // namespace wvds::bench
