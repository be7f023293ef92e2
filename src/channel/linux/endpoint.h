#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "channel/linux/waiters.h"
#include "channel/listen.h"

namespace wvds::channel {

// LinuxTuning is what an integrator has no reason to choose, and tests have.
struct LinuxTuning {
  std::chrono::milliseconds setup_deadline{1000};  // from accept() to a session that is served
  std::chrono::milliseconds accept_pause{100};     // after accept() failed for want of descriptors or memory
  uint32_t max_setups = 64;                        // connections that are being set up, in all
  uint32_t max_setups_per_user = 8;
  std::optional<Waiting> waiting;      // best_waiting()
  std::optional<unsigned> processors;  // platform::available_processors()
};

Result<std::unique_ptr<Endpoint>> listen_on_linux(const ListenOptions& options, const LinuxTuning& tuning,
                                                  SessionFactory& factory);

}  // namespace wvds::channel
