#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "channel/connect.h"
#include "channel/linux/endpoint.h"
#include "channel/linux/testing/temporary_folder.h"
#include "channel/testing/test_service.h"

namespace wvds::channel::testing {

// until polls for something that has no event of its own; false when the watchdog bit.
inline bool until(const std::function<bool()>& reached) {
  const TimePoint limit = watchdog();
  while (!reached()) {
    if (platform::monotonic_now() >= limit) return false;
    std::this_thread::yield();
  }
  return true;
}

// ServiceThread is a service in this program: its endpoint runs on a thread from construction to stop().
class ServiceThread {
 public:
  explicit ServiceThread(LinuxTuning tuning = {}, Serve serve = echo, uint32_t slots = 8) : factory(std::move(serve)) {
    ListenOptions options;
    options.address = path();
    options.socket_mode = 0600;
    options.slots = slots;
    options.epoch = 99;
    auto made = listen_on_linux(options, tuning, factory);
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    endpoint_ = std::move(*made);
    thread_ = std::thread([this] { EXPECT_TRUE(endpoint_->run().has_value()); });
  }
  ~ServiceThread() { stop(); }

  std::string path() const { return folder_.path("s"); }
  Endpoint& endpoint() { return *endpoint_; }

  std::unique_ptr<ClientEnd> client() {
    auto client = connect(path(), watchdog());
    EXPECT_TRUE(client.has_value()) << (client ? "" : client.error().detail);
    return client ? std::move(*client) : nullptr;
  }

  void stop() {
    endpoint_->stop();
    if (thread_.joinable()) thread_.join();
  }

  std::thread::native_handle_type thread() { return thread_.native_handle(); }

 private:
  TemporaryFolder folder_;

 public:
  TestFactory factory;

 private:
  std::unique_ptr<Endpoint> endpoint_;
  std::thread thread_;
};

}  // namespace wvds::channel::testing
