#include "bench/world.h"

#include <chrono>
#include <thread>

namespace wvds::bench {
namespace {

constexpr uint32_t kSlots = 8;
constexpr size_t kSecureHeap = 8 << 20;  // the cases keep more keys than a gateway

}  // namespace

Result<std::unique_ptr<World>> World::open(const std::string& service_program, bool fips) {
  auto world = std::make_unique<World>();
  world->service_program = service_program;
  world->fips = fips;
  WVDS_ASSIGN(echo, EchoProcess::start(world->folder.path() + "/echo.sock", kSlots));
  world->echo = std::move(echo);
  WVDS_ASSIGN(service, ServiceProcess::prepare(service_program, world->folder.path() + "/service", fips));
  world->service = std::move(service);
  WVDS_TRY(world->service->start());
  crypto::LibraryConfig config;
  config.fips = fips ? crypto::FipsMode::kRequired : crypto::FipsMode::kOff;
  config.secure_heap_bytes = kSecureHeap;
  WVDS_ASSIGN(library, crypto::Library::load(config));
  world->library = std::move(library);
  return world;
}

void World::settle() const {
  using namespace std::chrono_literals;
  // a service that never sleeps shows in its idle processor use; the measurements go on
  const auto deadline = Clock::now() + 1s;
  while (!(sleeps(echo->pid()) && sleeps(service->pid())) && Clock::now() < deadline) {
    std::this_thread::sleep_for(50us);
  }
}

}  // namespace wvds::bench
