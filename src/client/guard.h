#pragma once

#include <new>
#include <utility>

#include "base/result.h"
#include "wvds_crypto.h"

namespace wvds::client {

constexpr wvds_status to_c(Status status) { return static_cast<wvds_status>(status); }

// guard runs the body of one function of the C API, a callable that returns Result<>, and turns its error and any
// exception into a status: nothing is thrown over the C edge.
template <class Body>
wvds_status guard(Body&& body) noexcept {
  try {
    const Result<> result = std::forward<Body>(body)();
    return to_c(result ? Status::kSuccess : result.error().status);
  } catch (const std::bad_alloc&) {
    return WVDS_OUT_OF_MEMORY;
  } catch (...) {
    return WVDS_INTERNAL_ERROR;
  }
}

}  // namespace wvds::client
