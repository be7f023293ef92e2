#pragma once

#include <string_view>

namespace wvds::service {

// notify_manager tells the service manager what it asked to be told (sd_notify(3): "READY=1", "STOPPING=1"), by one
// datagram to the socket in NOTIFY_SOCKET. Nothing happens where there is no such manager. Never blocks.
void notify_manager(std::string_view message);

}  // namespace wvds::service
