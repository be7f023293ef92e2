#include "vectors_e2e/vector_service.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "support/daemon.h"

namespace wvds::test {
namespace {

DaemonOptions roomy() {
  DaemonOptions options;
  options.clients = "{\"name\": \"vectors\", \"uid\": " + std::to_string(getuid()) +
                    ", \"operations\": " + all_operations() +
                    ", \"limits\": {\"keys_per_minute\": 1000000}, \"rate_limit\": {\"requests_per_second\": 0}}";
  return options;
}

class DaemonService : public VectorService {
 public:
  bool start() {
    EXPECT_TRUE(daemon_.start());
    connection_.emplace(daemon_);
    EXPECT_EQ(connection_->status(), WVDS_SUCCESS) << wvds_status_name(connection_->status());
    return connection_->status() == WVDS_SUCCESS;
  }
  wvds_session* session() const override { return connection_->get(); }

 private:
  Daemon daemon_{roomy()};
  std::optional<Connection> connection_;
};

}  // namespace

std::unique_ptr<VectorService> VectorService::start() {
  auto service = std::make_unique<DaemonService>();
  if (!service->start()) return nullptr;
  return service;
}

}  // namespace wvds::test
