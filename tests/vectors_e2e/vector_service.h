#pragma once

#include <memory>

#include "wvds_crypto.h"

namespace wvds::test {

// VectorService is a running service, with FIPS required, whose client may do everything as fast as the vectors need
// it: a daemon of the test's own on Linux, the one that the ned script started on L4Re.
class VectorService {
 public:
  // start fails the test, and returns nothing, when there is no service.
  static std::unique_ptr<VectorService> start();
  virtual ~VectorService() = default;

  virtual wvds_session* session() const = 0;
};

}  // namespace wvds::test
