#pragma once

#include <memory>
#include <string>

#include "bench/hand_over.h"
#include "bench/linux/service.h"
#include "bench/service_calls.h"
#include "crypto/library.h"

namespace wvds::bench {

// World is what every benchmark uses: (a)'s library, (b)'s process, (c)'s service.
struct World {
  std::string service_program;
  bool fips = true;
  TemporaryFolder folder;
  std::unique_ptr<EchoProcess> echo;
  std::unique_ptr<ServiceProcess> service;
  std::unique_ptr<crypto::Library> library;

  // open starts both processes, then loads the library; all with FIPS required or off.
  static Result<std::unique_ptr<World>> open(const std::string& service_program, bool fips);

  // settle waits until both processes sleep, so that a worker still spinning for the last variant takes no
  // processor time from the next one.
  void settle() const;
};

}  // namespace wvds::bench
