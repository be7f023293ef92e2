#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tools/wvds/buffer.h"
#include "tools/wvds/outcome.h"

// What `wvds encrypt` writes and `wvds decrypt` reads (docs/envelope.md, "Sealed files of the tool"):
//   0  magic "WVDS1"    5  algorithm, 1: AES-256-GCM    6  zero, 2 bytes    8  key id, little-endian    12  nonce,
//   ciphertext, tag
// The first 12 bytes are authenticated: they are the beginning of the AAD.
namespace wvds::tool {

inline constexpr size_t kSealedHeaderSize = 12;
using SealedHeader = std::array<uint8_t, kSealedHeaderSize>;

SealedHeader sealed_header(uint32_t key_id);

// SealedFile points into the bytes that were parsed.
struct SealedFile {
  uint32_t key_id = 0;
  ByteView header;
  ByteView sealed;  // nonce, ciphertext, tag: at least 28 bytes
};

// parse_sealed_file checks form and length; nullopt for what `wvds encrypt` can't have written.
std::optional<SealedFile> parse_sealed_file(ByteView bytes);

}  // namespace wvds::tool
