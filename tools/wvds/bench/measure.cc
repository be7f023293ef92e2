#include "tools/wvds/bench/measure.h"

#include <deque>

namespace wvds::tool {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr int kWarmUps = 16;  // wake the service's worker and fill caches

uint64_t since(Clock::time_point start) { return static_cast<uint64_t>(nanoseconds(Clock::now() - start).count()); }

// renew ends the session and its keys, and begins a new one.
wvds_status renew(wvds_session* session, Workload& workload) {
  const wvds_status status = wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT);
  return status == WVDS_SUCCESS ? workload.prepare(session) : status;
}

// Pipeline keeps the calls of one session in flight, oldest first.
class Pipeline {
 public:
  Pipeline(wvds_session* session, Workload& workload, Measurement& out)
      : session_(session), workload_(workload), out_(out) {}
  ~Pipeline() {
    for (const Flight& flight : flights_) wvds_call_release(flight.call);
  }
  Pipeline(const Pipeline&) = delete;

  size_t size() const { return flights_.size(); }

  void send() {
    Flight flight{nullptr, Clock::now()};
    out_.status = workload_.begin(session_, &flight.call);
    if (out_.status != WVDS_SUCCESS) return;
    flights_.push_back(flight);
    out_.status = wvds_submit(flight.call);
  }

  void receive() {
    const Flight flight = flights_.front();
    out_.status = wvds_collect(flight.call, WVDS_DEFAULT_TIMEOUT);
    if (out_.status != WVDS_SUCCESS) return;
    out_.samples.add(since(flight.start));
    wvds_call_release(flight.call);
    flights_.pop_front();
  }

 private:
  struct Flight {
    wvds_call* call;
    Clock::time_point start;
  };
  wvds_session* session_;
  Workload& workload_;
  Measurement& out_;
  std::deque<Flight> flights_;
};

}  // namespace

Measurement measure_simple(wvds_session* session, Workload& workload, const wvds_capability_list& offer,
                           nanoseconds duration) {
  Measurement out;
  for (int i = 0; i < kWarmUps && out.status == WVDS_SUCCESS; ++i) out.status = workload.once(session);
  const uint64_t most = workload.requests_of_session(offer);
  uint64_t in_session = kWarmUps;
  while (out.status == WVDS_SUCCESS && (out.busy < duration || out.samples.count() == 0)) {
    if (most != 0 && ++in_session > most) {
      out.status = renew(session, workload);
      in_session = 0;
      continue;
    }
    const auto start = Clock::now();
    out.status = workload.once(session);
    const uint64_t time = since(start);
    if (out.status == WVDS_SUCCESS) out.samples.add(time);
    out.busy += nanoseconds(time);
  }
  return out;
}

Measurement measure_pipelined(wvds_session* session, Workload& workload, const wvds_capability_list& offer,
                              nanoseconds duration) {
  Measurement out;
  Pipeline pipeline(session, workload, out);
  const auto start = Clock::now();
  const size_t depth = offer.num_slots == 0 ? 1 : offer.num_slots;
  while (out.status == WVDS_SUCCESS &&
         (since(start) < static_cast<uint64_t>(duration.count()) || pipeline.size() < depth)) {
    if (pipeline.size() == depth) pipeline.receive();
    if (out.status == WVDS_SUCCESS) pipeline.send();
  }
  while (out.status == WVDS_SUCCESS && pipeline.size() > 0) pipeline.receive();
  out.busy = nanoseconds(since(start));
  return out;
}

}  // namespace wvds::tool
