#include "vectors_e2e/vector_service.h"

#include <gtest/gtest.h>

namespace wvds::test {
namespace {

class NedsService : public VectorService {
 public:
  bool connect() {
    const wvds_status status = wvds_connect(&session_, "crypto", WVDS_DEFAULT_TIMEOUT);
    EXPECT_EQ(status, WVDS_SUCCESS) << wvds_status_name(status);
    return status == WVDS_SUCCESS;
  }
  ~NedsService() override { wvds_disconnect(session_); }
  wvds_session* session() const override { return session_; }

 private:
  wvds_session* session_ = nullptr;
};

}  // namespace

std::unique_ptr<VectorService> VectorService::start() {
  auto service = std::make_unique<NedsService>();
  if (!service->connect()) return nullptr;
  return service;
}

}  // namespace wvds::test
