#pragma once

#include <optional>

#include "base/bytes.h"
#include "wvds_crypto.h"

namespace wvds::client {

// StreamInput reads what the caller's function gives, in pieces of the size that is wanted.
class StreamInput {
 public:
  explicit StreamInput(const wvds_stream_io& io) : io_(io) {}

  // fill reads until `out` is full or the input ends, and returns how many bytes came. kCallbackFailed.
  Result<size_t> fill(MutableBytes out);

  // at_end finds out whether anything is left; it may read one byte, which the next fill gives.
  Result<bool> at_end();

 private:
  Result<size_t> read_some(MutableBytes out);

  const wvds_stream_io& io_;
  std::optional<std::byte> ahead_;
  bool ended_ = false;
};

}  // namespace wvds::client
