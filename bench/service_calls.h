#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/variant.h"
#include "wvds_crypto.h"

// (c) and (d): the real service, through the C API.
namespace wvds::bench {

// checked makes a Result of what the C API returned.
Result<> checked(wvds_status status, const char* what);

// Session is a connection of the C API.
class Session {
 public:
  static Result<std::shared_ptr<Session>> connect(const std::string& address);
  explicit Session(wvds_session* handle) : handle_(handle) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { wvds_disconnect(handle_); }
  wvds_session* handle() const { return handle_; }

  // wake makes empty calls until the service's worker is certainly awake and spinning.
  Result<> wake() const;

 private:
  wvds_session* handle_;
};
using SessionRef = std::shared_ptr<Session>;

// AnswerStep looks at an answer after the clock was stopped.
using AnswerStep = std::function<Result<>(Bytes answer)>;

// ServiceRequest is what to send: the operation, and the key id to put over the payload's first four bytes (0: leave
// them).
struct ServiceRequest {
  SessionRef session;
  wvds_operation operation = 0;
  uint32_t key_id = 0;
  AnswerStep after = {};
};

// simple_call is one call of the C API with copies in and out, written by the caller as `call`.
std::unique_ptr<Variant> simple_call(SessionRef session, CallVariant::Step call, CallVariant::Step after = {});

// in_place_call fills the request where it is sent from (not timed, as an application that produces its data there) and
// reads the answer where it arrived (timed).
std::unique_ptr<Variant> in_place_call(ServiceRequest request);

// pipelined keeps all slots of the session filled. A sample is the time per request of a whole round, filling and
// reading included, counted while the pipeline is full.
std::unique_ptr<Variant> pipelined(ServiceRequest request);

}  // namespace wvds::bench
