#include "protocol/frame.h"

#include <string_view>

namespace wvds::protocol {
namespace {

// Header is the eight bytes both directions share; `code` is a request's type or an answer's status.
struct Header {
  uint8_t magic = 0;
  uint8_t version = 0;
  uint8_t code = 0;
  uint8_t flags = 0;
  uint32_t payload_length = 0;

  bool starts_with(uint8_t wanted_magic) const { return magic == wanted_magic && version == kVersion && flags == 0; }
};

Header read_header(Reader& reader) {
  Header header;
  header.magic = reader.u8();
  header.version = reader.u8();
  header.code = reader.u8();
  header.flags = reader.u8();
  header.payload_length = reader.u32();
  return header;
}

void write_header(uint8_t magic, uint8_t code, uint32_t payload_length, std::span<std::byte, kFrameHeaderSize> out) {
  Writer writer(out);
  writer.u8(magic);
  writer.u8(kVersion);
  writer.u8(code);
  writer.u8(0);  // flags
  writer.u32(payload_length);
}

bool travels(uint8_t code) {
  return code < 0x80 && std::string_view(status_name(static_cast<Status>(code))) != "UNKNOWN_STATUS";
}

}  // namespace

Result<RequestFrame> RequestFrame::decode(UntrustedBytes area) {
  Reader reader(area);
  const Header header = read_header(reader);
  if (reader.failed()) return fail(Status::kInvalidHeader, "request shorter than its header");
  if (!header.starts_with(kRequestMagic)) return fail(Status::kInvalidHeader, "wrong magic, version or flags");
  if (header.payload_length > kMaxRequestPayload) return fail(Status::kPayloadTooLarge, "payload over 65,536 bytes");
  const UntrustedBytes payload = reader.bytes(header.payload_length);
  if (reader.failed()) return fail(Status::kInvalidHeader, "payload length over what was sent");
  return RequestFrame{header.code, payload};
}

void encode_request_header(uint8_t type, uint32_t payload_length, std::span<std::byte, kFrameHeaderSize> out) {
  write_header(kRequestMagic, type, payload_length, out);
}

Result<AnswerFrame> AnswerFrame::decode(UntrustedBytes area) {
  Reader reader(area);
  const Header header = read_header(reader);
  const UntrustedBytes payload = reader.bytes(header.payload_length);
  if (reader.failed()) return fail(Status::kProtocolError, "answer longer than its area");
  if (!header.starts_with(kAnswerMagic)) return fail(Status::kProtocolError, "wrong magic, version or flags in answer");
  if (!travels(header.code)) return fail(Status::kProtocolError, "answer with a status that never travels");
  const auto status = static_cast<Status>(header.code);
  if (status != Status::kSuccess && !payload.empty()) return fail(Status::kProtocolError, "error answer with payload");
  return AnswerFrame{status, payload};
}

void encode_answer_header(Status status, uint32_t payload_length, std::span<std::byte, kFrameHeaderSize> out) {
  write_header(kAnswerMagic, static_cast<uint8_t>(status), payload_length, out);
}

}  // namespace wvds::protocol
