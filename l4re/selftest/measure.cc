#include "l4re/selftest/measure.h"

#include <l4/sys/ipc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <l4/re/env>
#include <l4/re/util/cap_alloc>
#include <l4/re/util/unique_cap>
#include <vector>

#include "channel/l4re/gates.h"
#include "channel/layout.h"
#include "l4re/selftest/openssl_aes.h"
#include "wvds_crypto.h"

namespace wvds::test {
namespace {

using channel::SessionFactoryGate;
using channel::SessionGate;

constexpr int kRounds = 200;
constexpr int kDepth = 8;
constexpr l4_umword_t kNoSuchOperation = 99;

uint64_t ticks() {
#if defined(__x86_64__)
  uint32_t low = 0, high = 0;
  asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return static_cast<uint64_t>(high) << 32 | low;
#else
  uint64_t value = 0;
  asm volatile("isb; mrs %0, cntvct_el0" : "=r"(value) : : "memory");
  return value;
#endif
}

uint64_t ticks_of_loop(uint64_t turns) {
  const uint64_t start = ticks();
#if defined(__x86_64__)
  asm volatile("1: dec %0; jnz 1b" : "+r"(turns) : : "cc");
#else
  asm volatile("1: subs %0, %0, #1; b.ne 1b" : "+r"(turns) : : "cc");
#endif
  return ticks() - start;
}

// instructions_per_tick compares the counter with a loop whose length is known; the best of many, because the kernel's
// clock interrupts some.
double instructions_per_tick() {
  constexpr uint64_t kTurns = 10'000;
  constexpr double kInstructions = 2.0 * kTurns;
  uint64_t best = ticks_of_loop(kTurns);
  for (int i = 0; i < 50; ++i) best = std::min(best, ticks_of_loop(kTurns));
  return kInstructions / static_cast<double>(best);
}

// report prints the median of `kRounds` calls, in instructions.
void report(const char* what, double per_tick, int requests, const std::function<bool()>& call) {
  std::vector<uint64_t> samples;
  bool worked = true;
  for (int i = 0; i < kRounds / 10; ++i) worked = call() && worked;
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t start = ticks();
    worked = call() && worked;
    samples.push_back(ticks() - start);
  }
  std::ranges::sort(samples);
  const auto of = [&](size_t place) { return static_cast<double>(samples[place]) * per_tick / requests; };
  std::printf("MEASURE %-28s median %10.0f p99 %10.0f instructions%s\n", what, of(kRounds / 2), of(kRounds * 99 / 100),
              worked ? "" : " FAILED");
}

// A message that the worker refuses at once: what a bare call to a gate costs.
bool bare_call(L4::Cap<SessionGate> gate) {
  l4_utcb_mr()->mr[0] = kNoSuchOperation;
  return !l4_ipc_call(gate.cap(), l4_utcb(), l4_msgtag(channel::kSessionProtocol, 1, 0, 0), L4_IPC_NEVER).has_error();
}

bool pipelined(wvds_session* session) {
  std::array<wvds_call*, kDepth> calls{};
  uint8_t* payload = nullptr;
  bool worked = true;
  for (wvds_call*& call : calls) {
    worked = wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0) == WVDS_SUCCESS && worked;
    worked = wvds_submit(call) == WVDS_SUCCESS && worked;
  }
  for (wvds_call* call : calls) {
    worked = wvds_collect(call, WVDS_DEFAULT_TIMEOUT) == WVDS_SUCCESS && worked;
    wvds_call_release(call);
  }
  return worked;
}

void measure_encryption(wvds_session* session, double per_tick, uint32_t key, const char* what, size_t size) {
  static std::array<uint8_t, WVDS_AES_MAX_SIZE> plaintext;
  static std::array<uint8_t, WVDS_AES_ENCRYPT_OUTPUT_SIZE(WVDS_AES_MAX_SIZE)> sealed;
  report(what, per_tick, 1, [&] {
    size_t length = 0;
    return wvds_aes_encrypt(session, sealed.data(), &length, sealed.size(), key, plaintext.data(), size, nullptr, 0) ==
           WVDS_SUCCESS;
  });
}

void measure_openssl(double per_tick, const char* what, size_t size) {
  OpensslAes aes;
  report(what, per_tick, 1, [&] { return aes.encrypt(size); });
}

void measure_session(wvds_session* session, double per_tick) {
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  uint32_t key = 0;
  measure_openssl(per_tick, "OpenSSL alone, 64 bytes", 64);
  measure_openssl(per_tick, "OpenSSL alone, 65,502 bytes", WVDS_AES_MAX_SIZE);
  report("empty call", per_tick, 1, [&] { return wvds_ping(session) == WVDS_SUCCESS; });
  report("empty call, pipelined by 8", per_tick, kDepth, [&] { return pipelined(session); });
  if (wvds_key_generate(session, &key, nullptr, nullptr, 0, &wanted) != WVDS_SUCCESS) return;
  measure_encryption(session, per_tick, key, "AES-256-GCM, 64 bytes", 64);
  measure_encryption(session, per_tick, key, "AES-256-GCM, 65,502 bytes", WVDS_AES_MAX_SIZE);
}

}  // namespace

void measure() {
  const double per_tick = instructions_per_tick();
  auto gate = L4Re::Util::make_unique_cap<SessionGate>();
  const auto factory = L4Re::Env::env()->get_cap<SessionFactoryGate>("crypto");
  if (factory->open(channel::kLayoutVersion, gate.get()) >= 0)
    report("bare call to a gate", per_tick, 1, [&] { return bare_call(gate.get()); });
  wvds_session* session = nullptr;
  if (wvds_connect(&session, "crypto", WVDS_DEFAULT_TIMEOUT) == WVDS_SUCCESS) measure_session(session, per_tick);
  wvds_disconnect(session);
}

}  // namespace wvds::test
