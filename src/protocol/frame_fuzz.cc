// Fuzzes RequestFrame::decode and AnswerFrame::decode (frame.h).
// Property: a frame that decodes is encoded to the header it came from, and its payload lies behind that header.

#include <algorithm>
#include <array>
#include <cstdlib>

#include "protocol/frame.h"

namespace wvds::protocol {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

using Header = std::array<std::byte, kFrameHeaderSize>;

void check(Bytes area, const Header& header, UntrustedBytes payload) {
  require(std::ranges::equal(header, area.first(kFrameHeaderSize)));
  require(payload.size() <= area.size() - kFrameHeaderSize);
  require(payload.empty() || payload.in_place().data() == area.data() + kFrameHeaderSize);
}

void check_request(Bytes area) {
  const auto frame = RequestFrame::decode(UntrustedBytes(area));
  if (!frame) {
    require(frame.error().status == Status::kInvalidHeader || frame.error().status == Status::kPayloadTooLarge);
    return;
  }
  require(frame->payload.size() <= kMaxRequestPayload);
  Header header;
  encode_request_header(frame->type, static_cast<uint32_t>(frame->payload.size()), header);
  check(area, header, frame->payload);
}

void check_answer(Bytes area) {
  const auto frame = AnswerFrame::decode(UntrustedBytes(area));
  if (!frame) {
    require(frame.error().status == Status::kProtocolError);
    return;
  }
  require(frame->status == Status::kSuccess || frame->payload.empty());
  Header header;
  encode_answer_header(frame->status, static_cast<uint32_t>(frame->payload.size()), header);
  check(area, header, frame->payload);
}

}  // namespace
}  // namespace wvds::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const wvds::Bytes area = std::as_bytes(std::span(data, size));
  wvds::protocol::check_request(area);
  wvds::protocol::check_answer(area);
  return 0;
}
