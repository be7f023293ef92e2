#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "channel/request.h"

namespace wvds::channel {

struct ListenOptions {
  std::string address;              // Linux: path of the socket
  uint32_t socket_mode = 0660;      // Linux: who may connect at all
  uint32_t slots = 8;               // of each session, 1 to kMaxSlots
  std::vector<std::string> labels;  // L4Re: names of the capabilities to serve, one a client
  uint64_t epoch = 0;               // another number after every start of the service
  int inherited_socket = -1;  // Linux: a listening socket to take over in place of `address`; becomes the endpoint's
  std::chrono::milliseconds tick_interval{0};  // Linux: how often run() calls `tick`; 0: never
  std::function<void()> tick;                  // must not block or throw
};

// listen makes the service reachable; clients that come are served as soon as run() is called. `factory` outlives the
// endpoint. kInvalidArgument for options out of range, kBusy when a service lives at the address, kInternalError
// otherwise; the detail says what to do. On Linux a socket that a dead service left behind is replaced; a file
// `address`.lock tells which are dead.
Result<std::unique_ptr<Endpoint>> listen(const ListenOptions& options, SessionFactory& factory);

}  // namespace wvds::channel
