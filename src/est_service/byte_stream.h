#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "est/failure.h"
#include "platform/clock.h"

// The seam between TLS and what carries its bytes: TCP on Linux, a client that relays elsewhere.
namespace wvds::est_service {

// ByteStream is one connection to the server. One thread. Both functions block, at the longest until the deadline
// (kTimeout) or until the service stops (kConnectionLost).
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // read waits for bytes and returns how many of them stand in `out`; 0 is the end of what the peer sends.
  virtual est::Outcome<size_t> read(MutableBytes out, platform::TimePoint deadline) = 0;

  // write hands over all bytes.
  virtual est::Outcome<> write(Bytes bytes, platform::TimePoint deadline) = 0;
};

// Dialer opens connections. kConnectFailed when nobody answers there, with the cause; kTimeout.
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual est::Outcome<std::unique_ptr<ByteStream>> dial(const std::string& host, uint16_t port,
                                                         platform::TimePoint deadline) = 0;
};

}  // namespace wvds::est_service
