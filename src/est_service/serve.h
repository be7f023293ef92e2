#pragma once

#include <functional>
#include <string>

#include "channel/listen.h"
#include "config/service_config.h"
#include "est_service/relay.h"
#include "est_service/world.h"

// What running est_service has in common on every operating system.
namespace wvds::est_service {

// library_config is what the crypto library is to be loaded with.
crypto::LibraryConfig library_config(const config::ServiceConfig& config);

// Serving is how the operating system lets clients reach est_service, and ends it.
struct Serving {
  channel::ListenOptions listen{};                    // but for slots and epoch
  std::string reached_at{};                           // for the log
  RelayHub* relay = nullptr;                          // null: est_service connects by itself
  std::function<void()> interrupt{};                  // ends what the agent may be waiting for
  std::function<Result<>(channel::Endpoint&)> run{};  // serves until est_service is to end
};

// serve enrols on a thread of its own and lets clients in until `run` returns.
Result<> serve(const config::ServiceConfig& config, const crypto::Library& library, World& world, Serving serving);

}  // namespace wvds::est_service
