#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

// The frame that carries every request and answer (docs/protocol.md, "Frame").
namespace wvds::protocol {

inline constexpr uint8_t kRequestMagic = 0xC7;
inline constexpr uint8_t kAnswerMagic = 0xC8;
inline constexpr uint8_t kVersion = 0x01;
inline constexpr size_t kFrameHeaderSize = 8;
inline constexpr size_t kMaxRequestPayload = 65536;
inline constexpr size_t kMaxAnswerPayload = kMaxRequestPayload + 12 + 16;  // larger by nonce and tag
inline constexpr size_t kRequestArea = kFrameHeaderSize + kMaxRequestPayload;
inline constexpr size_t kAnswerArea = kFrameHeaderSize + kMaxAnswerPayload;

// RequestFrame is a request's header, checked, and its payload, unchecked.
struct RequestFrame {
  uint8_t type = 0;
  UntrustedBytes payload;

  // decode copies the header out once and checks it in this order: magic, version, flags (kInvalidHeader), payload
  // length over kMaxRequestPayload (kPayloadTooLarge), payload longer than `area` (kInvalidHeader). The type is
  // whatever the client wrote; the op table judges it.
  static Result<RequestFrame> decode(UntrustedBytes area);
};

// encode_request_header writes the header of a request whose payload follows it in the same area.
void encode_request_header(uint8_t type, uint32_t payload_length, std::span<std::byte, kFrameHeaderSize> out);

// AnswerFrame is what a client reads: the service's lengths are claims too.
struct AnswerFrame {
  Status status = Status::kInternalError;
  UntrustedBytes payload;

  // decode fails with kProtocolError when magic, version, flags or length are not those of an answer that fits `area`,
  // or the status is one that never travels.
  static Result<AnswerFrame> decode(UntrustedBytes area);
};

void encode_answer_header(Status status, uint32_t payload_length, std::span<std::byte, kFrameHeaderSize> out);

}  // namespace wvds::protocol
