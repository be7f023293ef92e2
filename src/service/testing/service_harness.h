#pragma once

#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "keystore/memory/memory_protector.h"
#include "keystore/testing/memory_medium.h"
#include "protocol/ecdsa_messages.h"
#include "protocol/frame.h"
#include "protocol/key_messages.h"
#include "protocol/operations.h"
#include "service/service.h"
#include "service/testing/fake_clock.h"
#include "service/testing/memory_audit.h"

// The whole service in this process, without a transport: for tests and fuzzing.
namespace wvds::service::testing {

using Buffer = std::vector<std::byte>;
using protocol::Operation;

Buffer bytes_of(std::string_view text);
std::string text_of(Bytes bytes);
Buffer joined(std::initializer_list<Bytes> parts);

// The users that the test config knows.
inline constexpr uint32_t kGateway = 1;  // may do everything
inline constexpr uint32_t kBackend = 2;  // may do everything
inline constexpr uint32_t kReader = 3;   // may do everything but KEY_IMPORT

// test_config has these three clients and no rate limit.
config::ServiceConfig test_config();

struct Answer {
  Status status = Status::kInternalError;
  Buffer payload;
};

// TestSession is a client of one session: it writes requests into an area of its own and reads the answers.
class TestSession {
 public:
  explicit TestSession(std::unique_ptr<channel::RequestHandler> handler);

  // send hands `area` over as it is; call sends a well-formed frame.
  Answer send(Bytes area);
  Answer call(Operation operation, Bytes payload);
  Answer call(uint8_t type, Bytes payload);

  channel::RequestHandler& handler() { return *handler_; }
  channel::Verdict last_verdict() const { return last_verdict_; }

  // request_area is what the last request's area held when it was answered.
  const Buffer& request_area() const { return area_; }

  // The operations that most tests need; each fails the test when the service refuses.
  uint32_t generate(Algorithm algorithm, Usages usages = 0, Lifetime lifetime = Lifetime::kVolatile, uint8_t flags = 0);
  Buffer public_key(uint32_t key);
  Answer encrypt(uint32_t key, std::string_view plaintext, std::string_view aad = {});
  Answer decrypt(uint32_t key, Bytes sealed, std::string_view aad = {});
  Answer sign(uint32_t key, std::string_view message, std::string_view context = {}, uint8_t flags = 0);
  Answer verify(uint32_t key, std::string_view message, Bytes signature, std::string_view context = {},
                uint8_t flags = 0);
  Answer ecdsa_sign(uint32_t key, std::string_view message, Hash hash = Hash::kSha256, uint8_t flags = 0);
  Answer ecdsa_verify(const protocol::EcdsaVerifyHead& head, std::string_view message);
  Answer ecdsa_verify(uint32_t key, std::string_view message, Bytes signature, Hash hash = Hash::kSha256,
                      uint8_t flags = 0);
  Answer key_request(Operation operation, uint32_t key);
  Answer version_request(Operation operation, uint32_t key, uint32_t version);

 private:
  std::unique_ptr<channel::RequestHandler> handler_;
  Buffer area_;
  Buffer answer_;
  channel::Verdict last_verdict_ = channel::Verdict::kValid;
};

// request_frame is a whole request.
Buffer request_frame(uint8_t type, Bytes payload);

// TestMedium can be told to fail as a system without memory does.
class TestMedium : public keystore::testing::MemoryMedium {
 public:
  Result<> replace(std::string_view name, Bytes content) override {
    if (without_memory) throw std::bad_alloc();
    return MemoryMedium::replace(name, content);
  }
  bool without_memory = false;
};

// Harness is a service over a store in memory, with the FIPS provider required.
class Harness {
 public:
  explicit Harness(const config::ServiceConfig& config = test_config());

  Result<std::unique_ptr<channel::RequestHandler>> try_open(uint32_t uid);
  TestSession open(uint32_t uid = kGateway);

  // restart ends the service, whose sessions must have ended before, and starts another one over the same store.
  void restart();

  Service& service() { return *service_; }
  FakeClock& clock() { return clock_; }
  TestMedium& medium() { return medium_; }
  MemoryAudit& audit() { return audit_; }
  static const crypto::Library& library();

 private:
  void start();

  const config::ServiceConfig config_;
  FakeClock clock_;
  TestMedium medium_;
  MemoryAudit audit_;
  std::unique_ptr<keystore::Protector> protector_;
  std::unique_ptr<Service> service_;
  uint64_t epoch_ = 0;
};

}  // namespace wvds::service::testing
