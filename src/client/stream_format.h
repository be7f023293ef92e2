#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

// The layout of streams (docs/stream-format.md): a header, then chunks, each with a head that says how long it is.
// Nothing here is authenticated: header and head are part of each chunk's AAD, so that a false claim never opens.
namespace wvds::client {

inline constexpr size_t kStreamHeaderSize = 32;
inline constexpr size_t kChunkHeadSize = 16;
inline constexpr size_t kStreamIdSize = 16;
inline constexpr size_t kChunkMarkSize = 8;  // the beginning of the stream's id, in each chunk's head
inline constexpr uint32_t kStreamChunkSize = 61440;
inline constexpr size_t kMaxStreamAadSize = 4000;
inline constexpr uint32_t kLastChunkIndex = 0xFFFFFFFF;

using StreamId = std::array<std::byte, kStreamIdSize>;
using StreamHeaderBytes = std::array<std::byte, kStreamHeaderSize>;
using ChunkHeadBytes = std::array<std::byte, kChunkHeadSize>;

struct StreamHeader {
  uint32_t key_id = 0;
  uint32_t chunk_size = kStreamChunkSize;  // plaintext of each chunk but the last: 1 to kStreamChunkSize
  StreamId id{};

  StreamHeaderBytes encode() const;

  // decode takes the beginning of the input; bytes behind the header are ignored. kStreamUnreadable for what is no
  // stream, kStreamNewerVersion for a version or algorithm unknown here, kStreamTruncated for a part of a header.
  static Result<StreamHeader> decode(Bytes start);
};

struct ChunkHead {
  uint32_t index = 0;
  bool is_final = false;
  uint16_t length = 0;  // of the plaintext

  // of is the head of a chunk to write. kPayloadTooLarge: the stream would need more indexes than there are.
  static Result<ChunkHead> of(uint32_t index, bool is_final, size_t length);

  ChunkHeadBytes encode(const StreamId& id) const;

  // decode takes the head of the chunk that has to come next. kStreamForeignChunk: of another stream;
  // kStreamOutOfOrder: another index; kStreamUnreadable: a flag or length that this chunk can't have.
  static Result<ChunkHead> decode(const ChunkHeadBytes& head, const StreamHeader& stream, uint32_t expected_index);

  size_t sealed_size() const;  // nonce, ciphertext, tag
};

}  // namespace wvds::client
