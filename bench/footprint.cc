#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/cases.h"
#include "bench/runner.h"

namespace wvds::bench {
namespace {

constexpr int kSessions = 4;
constexpr auto kIdleTime = std::chrono::seconds(5);

void skip(benchmark::State& state, const Error& error) { state.SkipWithError(error.detail.c_str()); }

// A service of its own in a fresh folder.
struct OwnService {
  TemporaryFolder folder;
  std::unique_ptr<ServiceProcess> process;

  static Result<std::unique_ptr<OwnService>> prepare(const World& world) {
    auto own = std::make_unique<OwnService>();
    WVDS_ASSIGN(process, ServiceProcess::prepare(world.service_program, own->folder.path() + "/service", world.fips));
    own->process = std::move(process);
    return own;
  }
};

void measure_start(benchmark::State& state, const World& world) {
  Result<std::unique_ptr<OwnService>> own = OwnService::prepare(world);
  if (!own) return skip(state, own.error());
  Samples samples;
  for ([[maybe_unused]] auto round : state) {
    const Result<> started = (*own)->process->start();
    if (!started) {
      skip(state, started.error());
      break;
    }
    const double milliseconds = (*own)->process->start_time_ms();
    (*own)->process->stop();
    state.SetIterationTime(milliseconds / 1000);
    samples.add(milliseconds);
  }
  state.counters["ready_ms_p50"] = samples.quantile(0.5);
  state.counters["ready_ms_max"] = samples.quantile(1);
}

Result<> use_a_little(const SessionRef& session) {
  const std::array<std::byte, kAesKeySize> key{};
  WVDS_ASSIGN(id, import_secret(session->handle(), Algorithm::kAes256Gcm, 0, key));
  std::array<uint8_t, WVDS_AES_ENCRYPT_OUTPUT_SIZE(64)> sealed;
  const std::array<uint8_t, 64> plaintext{};
  size_t length = 0;
  return checked(wvds_aes_encrypt(session->handle(), sealed.data(), &length, sealed.size(), id, plaintext.data(),
                                  plaintext.size(), nullptr, 0),
                 "wvds_aes_encrypt");
}

// use_every_slot sends the largest request through all slots at once, so that all shared memory is there.
Result<> use_every_slot(const SessionRef& session) {
  const std::array<std::byte, kAesKeySize> key{};
  WVDS_ASSIGN(id, import_secret(session->handle(), Algorithm::kAes256Gcm, 0, key));
  Request request;
  request.payload.resize(6 + WVDS_AES_MAX_SIZE);
  request.answer_size = WVDS_AES_ENCRYPT_OUTPUT_SIZE(WVDS_AES_MAX_SIZE);
  const std::vector<Request> requests(16, request);
  Samples ignored;
  return pipelined({session, WVDS_OP_AES_ENCRYPT, id})->measure(requests, ignored);
}

void report(const std::string& prefix, const ProcessUse& use, benchmark::UserCounters& counters) {
  counters[prefix + "resident_mb"] = use.resident_mb;
  counters[prefix + "anonymous_mb"] = use.anonymous_mb;
  counters[prefix + "file_mb"] = use.file_mb;
  counters[prefix + "shared_mb"] = use.shared_mb;
}

Result<> measure_idle(benchmark::UserCounters& counters, const World& world) {
  WVDS_ASSIGN(own, OwnService::prepare(world));
  WVDS_TRY(own->process->start());
  std::vector<SessionRef> sessions;
  for (int i = 0; i < kSessions; ++i) {
    WVDS_ASSIGN(session, Session::connect(own->process->address()));
    WVDS_TRY(use_a_little(session));
    sessions.push_back(std::move(session));
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  WVDS_ASSIGN(before, process_use(own->process->pid()));
  std::this_thread::sleep_for(kIdleTime);
  WVDS_ASSIGN(after, process_use(own->process->pid()));
  report("", after, counters);
  counters["threads"] = after.threads;
  const double idle_ns = std::chrono::duration<double, std::nano>(kIdleTime).count();
  counters["cpu_percent"] = 100 * static_cast<double>(after.running_ns - before.running_ns) / idle_ns;
  counters["wakeups"] = static_cast<double>(after.switches - before.switches);
  for (const SessionRef& session : sessions) WVDS_TRY(use_every_slot(session));
  WVDS_ASSIGN(used, process_use(own->process->pid()));
  report("used_", used, counters);
  return {};
}

}  // namespace

void register_footprint(World& world, double effort) {
  const auto starts = static_cast<benchmark::IterationCount>(std::max(3.0, 10 * effort));
  benchmark::RegisterBenchmark("start", [&world](benchmark::State& state) { measure_start(state, world); })
      ->UseManualTime()
      ->Iterations(starts)
      ->Unit(benchmark::kMillisecond);
  const auto idle = [&world](benchmark::State& state) {
    for ([[maybe_unused]] auto round : state) {
      const Result<> measured = measure_idle(state.counters, world);
      if (!measured) skip(state, measured.error());
    }
  };
  benchmark::RegisterBenchmark("idle", idle)->Iterations(1)->Unit(benchmark::kMillisecond);
}

}  // namespace wvds::bench
