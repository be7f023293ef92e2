#include "client/stream_input.h"

#include <span>
#include <utility>

#include "client/arguments.h"

namespace wvds::client {

Result<size_t> StreamInput::read_some(MutableBytes out) {
  size_t length = 0;
  if (ended_ || out.empty()) return length;
  if (io_.read(io_.user_data, to_c(out), &length, out.size()) != WVDS_SUCCESS || length > out.size()) {
    return fail(Status::kCallbackFailed);
  }
  ended_ = length == 0;
  return length;
}

Result<size_t> StreamInput::fill(MutableBytes out) {
  size_t filled = 0;
  if (ahead_ && !out.empty()) out[filled++] = *std::exchange(ahead_, std::nullopt);
  while (filled < out.size() && !ended_) {
    WVDS_ASSIGN(length, read_some(out.subspan(filled)));
    filled += length;
  }
  return filled;
}

Result<bool> StreamInput::at_end() {
  if (ahead_) return false;
  std::byte next{};
  WVDS_ASSIGN(length, read_some(std::span(&next, 1)));
  if (length != 0) ahead_ = next;
  return length == 0;
}

}  // namespace wvds::client
