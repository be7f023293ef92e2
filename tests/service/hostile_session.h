#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "channel/linux/testing/raw_client.h"
#include "protocol/frame.h"
#include "protocol/operations.h"
#include "support/daemon.h"

namespace wvds::test {

using Octets = std::vector<std::byte>;

Octets frame_of(protocol::Operation operation, Bytes payload);
Octets joined(std::initializer_list<Bytes> parts);

struct HostileAnswer {
  Status status = Status::kInternalError;
  Octets payload;
};

// HostileSession is a session whose client sees the shared region itself and keeps no rules but those it chooses to.
class HostileSession {
 public:
  explicit HostileSession(const Daemon& daemon);

  bool ready() const { return ready_; }
  channel::Region region() const { return client_.region(); }
  channel::testing::RawClient& client() { return client_; }
  std::byte* request_area(uint32_t slot) const { return region().slot(slot).request_area; }

  // fill writes a frame into a slot, submit hands the slot over as a good client would, ring wakes the service unasked.
  void fill(uint32_t slot, Bytes frame);
  void submit(uint32_t slot);
  void ring();

  // await copies the answer out; nothing when the watchdog bit.
  std::optional<HostileAnswer> await(uint32_t slot);

  // call does all of it; a missing answer fails the test.
  HostileAnswer call(Bytes frame);

 private:
  void sleep_unless(const std::function<bool()>& answered);

  channel::testing::RawClient client_;
  bool ready_;
  std::vector<uint32_t> generations_;
};

// Flipper changes one byte to and fro between two values, as fast as it can, until it is destroyed.
class Flipper {
 public:
  Flipper(std::byte* place, std::byte one, std::byte other);
  ~Flipper();
  Flipper(const Flipper&) = delete;
  Flipper& operator=(const Flipper&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace wvds::test
