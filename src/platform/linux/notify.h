#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace wvds::platform {

// notify_manager tells the service manager what it asked to be told (sd_notify(3): "READY=1", "STOPPING=1"), by one
// datagram to the socket in NOTIFY_SOCKET. Nothing happens where there is no such manager. Never blocks.
void notify_manager(std::string_view message);

// has_manager tells whether notify_manager has anybody to tell.
bool has_manager();

// watchdog_timeout is how long the manager waits for a sign of life (sd_watchdog_enabled(3): WATCHDOG_USEC,
// WATCHDOG_PID); nothing where it does not watch this process.
std::optional<std::chrono::microseconds> watchdog_timeout();

// reloading_message begins a reload (systemd.service(5), Type=notify-reload): it must be followed by READY=1.
std::string reloading_message();

}  // namespace wvds::platform
