#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/aes_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_MAX_REQUEST_PAYLOAD == protocol::kMaxRequestPayload);
static_assert(WVDS_MAX_ANSWER_PAYLOAD == protocol::kMaxAnswerPayload);

size_t largest_payload(Operation operation) {
  return operation == Operation::kAesEncrypt ? protocol::kAesRequestFixedSize + WVDS_AES_MAX_SIZE
                                             : protocol::kMaxRequestPayload;
}

}  // namespace

wvds_status wvds_request_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_payload,
                               wvds_operation operation, size_t payload_len) {
  clear(out_call), clear(out_payload);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out_call != nullptr && out_payload != nullptr));
    WVDS_ASSIGN(known, operation_argument(operation));
    if (payload_len > largest_payload(known)) return fail(Status::kPayloadTooLarge);
    WVDS_ASSIGN(slot, live->acquire());
    const MutableBytes payload = slot.payload();
    *out_call = live->open_call(std::move(slot), known, payload_len, AnswerSize{});
    *out_payload = to_c(payload);
    return {};
  });
}

wvds_status wvds_submit(wvds_call* call) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, call_of(call));
    return live->submit();
  });
}

wvds_status wvds_collect(wvds_call* call, uint32_t timeout_ms) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, call_of(call));
    return live->collect(timeout_ms);
  });
}

wvds_status wvds_answer(wvds_call* call, const uint8_t** out, size_t* out_len) {
  clear(out), clear(out_len);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, call_of(call));
    WVDS_TRY(require(out != nullptr && out_len != nullptr));
    WVDS_TRY(require(live->state == wvds_call::State::kDone && live->outcome == Status::kSuccess));
    *out = reinterpret_cast<const uint8_t*>(live->answer.data());
    *out_len = live->answer.size();
    return {};
  });
}

wvds_status wvds_call_release(wvds_call* call) {
  return guard([&]() -> Result<> {
    if (call == nullptr) return {};
    WVDS_ASSIGN(live, call_of(call));
    live->close();
    return {};
  });
}
