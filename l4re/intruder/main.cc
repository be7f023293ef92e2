// A hostile task. As "stranger" it was given nothing and tries to find the service. As "client" it has a session of its
// own: it fills the region with a pattern, hands the region to an accomplice, and ends without a word.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <l4/re/env>
#include <l4/re/util/cap_alloc>

#include "channel/l4re/gates.h"
#include "channel/l4re/shared_region.h"
#include "l4re/drop.h"

namespace {

using wvds::channel::SessionFactoryGate;
using wvds::channel::SessionGate;

constexpr const char* kNames[] = {"crypto", "backend", "gateway", "selftest", "hostile", "store", "rng", "drop"};
constexpr l4_cap_idx_t kTriedSlots = 4096;

int as_stranger() {
  const auto* env = L4Re::Env::env();
  int found = 0;
  for (const char* name : kNames) found += env->get_cap<void>(name).is_valid() ? 1 : 0;
  // A capability that this task does not hold can't be guessed: no slot behind those that every task has, for its
  // memory, its threads and its log, leads to the service.
  for (l4_cap_idx_t slot = env->first_free_cap(); slot < kTriedSlots; ++slot) {
    const L4::Cap<SessionFactoryGate> guess(slot << L4_CAP_SHIFT);
    if (env->task()->cap_valid(guess).label() <= 0) continue;
    found += L4::cap_dynamic_cast<SessionFactoryGate>(L4::Cap<L4::Kobject>(guess.cap())).is_valid() ? 1 : 0;
  }
  std::printf("intruder: as a stranger it found %d ways in\n", found);
  return found == 0 ? 0 : 1;
}

int as_client() {
  const auto factory = L4Re::Env::env()->get_cap<SessionFactoryGate>("crypto");
  auto gate = L4Re::Util::cap_alloc.alloc<SessionGate>();
  auto dataspace = L4Re::Util::make_unique_cap<L4Re::Dataspace>();
  if (factory->open(wvds::channel::kLayoutVersion, gate) < 0 || gate->region(dataspace.get()) < 0) {
    std::printf("intruder: got no session\n");
    return 1;
  }
  const L4::Cap<L4Re::Dataspace> shared = dataspace.get();
  auto region = wvds::channel::SharedRegion::adopt(std::move(dataspace));
  if (!region) return 1;
  std::memset(region->region().slot(0).request_area, 0xa5, wvds::channel::kRequestAreaSize);
  const auto drop = L4Re::Env::env()->get_cap<wvds::test::Drop>("drop");
  if (drop.is_valid() && drop->take(L4::Ipc::make_cap(shared, L4_CAP_FPAGE_RW)) < 0) return 1;
  std::printf("intruder: leaves with a session open\n");
  std::fflush(stdout);
  _exit(0);  // no destructor says good-bye
}

}  // namespace

int main(int argc, char** argv) {
  return argc > 1 && std::strcmp(argv[1], "client") == 0 ? as_client() : as_stranger();
}
