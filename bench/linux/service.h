#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "bench/linux/process.h"

namespace wvds::bench {

// ServiceProcess is a crypto_service of its own: its own folder, FIPS required or off, no rate limit, everything
// allowed for this user.
class ServiceProcess {
 public:
  // prepare writes the folder's config.json; nothing runs yet. `protector` are its members "protector" and the section
  // of it; empty: a key file.
  static Result<std::unique_ptr<ServiceProcess>> prepare(const std::string& program, const std::string& folder,
                                                         bool fips, const std::string& protector = {});

  // start runs the service and returns when the first connection was accepted; the time that took is start_time_ms().
  Result<> start();
  void stop() { process_.stop(); }

  const std::string& address() const { return address_; }
  pid_t pid() const { return process_.pid(); }
  double start_time_ms() const { return start_time_ms_; }

 private:
  ServiceProcess(std::string program, std::string folder);

  std::string program_;
  std::string folder_;
  std::string address_;
  double start_time_ms_ = 0;
  Process process_;
};

}  // namespace wvds::bench
