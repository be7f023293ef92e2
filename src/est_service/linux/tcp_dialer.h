#pragma once

#include "est_service/byte_stream.h"
#include "platform/linux/unique_fd.h"

namespace wvds::est_service {

// TcpDialer connects by TCP, to each of a name's addresses in turn until one answers.
class TcpDialer : public Dialer {
 public:
  static Result<std::unique_ptr<TcpDialer>> make();

  // dial blocks in the system's name resolution too, which keeps to times of its own (resolv.conf(5)).
  est::Outcome<std::unique_ptr<ByteStream>> dial(const std::string& host, uint16_t port,
                                                 platform::TimePoint deadline) override;

  // interrupt ends every dial, read and write, now and from now on, with kConnectionLost. Any thread, and signal
  // handlers.
  void interrupt();

  // stop_event is readable after interrupt(). It belongs to the dialer.
  int stop_event() const { return stop_.get(); }

 private:
  explicit TcpDialer(platform::UniqueFd stop) : stop_(std::move(stop)) {}
  platform::UniqueFd stop_;  // an eventfd: readable when interrupted
};

}  // namespace wvds::est_service
