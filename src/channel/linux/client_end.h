#pragma once

#include <memory>
#include <optional>
#include <string>

#include "channel/connect.h"
#include "channel/spin.h"
#include "channel/waiter.h"

namespace wvds::channel {

// ClientTuning is what a program has no reason to choose, and tests have.
struct ClientTuning {
  std::optional<unsigned> processors;  // platform::available_processors()
  Nanoseconds slice = kMaxWaitSlice;   // longest single wait, and so the time until a dead service is noticed
};

Result<std::unique_ptr<ClientEnd>> connect_on_linux(const std::string& address, const ClientTuning& tuning,
                                                    TimePoint deadline);

}  // namespace wvds::channel
