#pragma once

#include <optional>

#include "support/daemon.h"

namespace wvds::test {

// Bystander is another client of a service under attack: it must not notice anything.
class Bystander {
 public:
  explicit Bystander(const Daemon& daemon);

  // check encrypts and decrypts something and fails the test when that goes wrong.
  void check();

  // sessions counts the sessions that the service has, this one included.
  uint32_t sessions();

 private:
  Connection connection_;
  uint32_t key_ = 0;
  uint8_t rounds_ = 0;
};

}  // namespace wvds::test
