#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "protocol/testing/hex.h"
#include "wvds_crypto.h"

// The input and output of a stream, in memory.
namespace wvds::client::testing {

using protocol::testing::Buffer;

// pattern is bytes in which every chunk differs from the others.
inline Buffer pattern(size_t size) {
  Buffer out(size);
  uint32_t value = 1;
  for (std::byte& byte : out) byte = static_cast<std::byte>((value = value * 1664525 + 1013904223) >> 24);
  return out;
}

// MemoryIo reads from one buffer and writes to another, in pieces of at most `piece` bytes. The function that `on_read`
// or `on_write` is may end the stream.
struct MemoryIo {
  Buffer input;
  Buffer output;
  size_t piece = SIZE_MAX;
  size_t taken = 0;
  size_t reads_after_the_end = 0;
  std::function<wvds_status()> on_read = [] { return WVDS_SUCCESS; };
  std::function<wvds_status()> on_write = [] { return WVDS_SUCCESS; };

  explicit MemoryIo(Buffer bytes) : input(std::move(bytes)) {}

  wvds_stream_io io() {
    return {[](void* self, uint8_t* out, size_t* length, size_t max) {
              return static_cast<MemoryIo*>(self)->read(out, length, max);
            },
            [](void* self, const uint8_t* bytes, size_t length) {
              return static_cast<MemoryIo*>(self)->write(bytes, length);
            },
            this};
  }

 private:
  wvds_status read(uint8_t* out, size_t* length, size_t max) {
    if (ended_) ++reads_after_the_end;
    *length = std::min({max, piece, input.size() - taken});
    copy_bytes(Bytes(input).subspan(taken, *length), std::as_writable_bytes(std::span(out, *length)));
    taken += *length;
    ended_ = *length == 0;
    return on_read();
  }

  wvds_status write(const uint8_t* bytes, size_t length) {
    const Bytes all = std::as_bytes(std::span(bytes, length));
    output.insert(output.end(), all.begin(), all.end());
    return on_write();
  }

  bool ended_ = false;
};

}  // namespace wvds::client::testing
