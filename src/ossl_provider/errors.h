#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <new>
#include <string>
#include <utility>

#include "base/result.h"
#include "wvds_crypto.h"

// How errors reach the program: through OpenSSL's error queue.
namespace wvds::ossl_provider {

// ErrorQueue is the calling thread's error queue, as OpenSSL's core offers it to a provider.
class ErrorQueue {
 public:
  ErrorQueue(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions);

  // raise adds an error: the status as the reason, the detail as the data. `function` is a static name.
  void raise(Status status, const char* detail, const char* function) const noexcept;

 private:
  const OSSL_CORE_HANDLE* core_;
  OSSL_FUNC_core_new_error_fn* new_error_ = nullptr;
  OSSL_FUNC_core_set_error_debug_fn* set_debug_ = nullptr;
  OSSL_FUNC_core_vset_error_fn* set_error_ = nullptr;
};

// reason_strings names every status for the queue; static storage.
const OSSL_ITEM* reason_strings();

// service_failure is the error of a call of the client library: `what` names the key and the service.
std::unexpected<Error> service_failure(wvds_status status, const std::string& what);

// guard runs the body of a function that OpenSSL calls, a callable that returns Result<>: 1, or 0 and an error in the
// queue. Nothing is thrown into OpenSSL.
template <class Body>
int guard(const ErrorQueue& errors, const char* function, Body&& body) noexcept {
  try {
    const Result<> done = std::forward<Body>(body)();
    if (done) return 1;
    errors.raise(done.error().status, done.error().detail.c_str(), function);
  } catch (const std::bad_alloc&) {
    errors.raise(Status::kOutOfMemory, "", function);
  } catch (...) {
    errors.raise(Status::kInternalError, "", function);
  }
  return 0;
}

}  // namespace wvds::ossl_provider
