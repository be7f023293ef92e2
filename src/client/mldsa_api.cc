#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/mldsa_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_MLDSA_DETERMINISTIC == protocol::kMlDsaDeterministic);
static_assert(WVDS_MLDSA_EXTERNAL_MU == protocol::kMlDsaExternalMu);
static_assert(WVDS_MLDSA_MU_SIZE == kMuSize && WVDS_MLDSA_SEED_SIZE == kMlDsaSeedSize);
static_assert(WVDS_MLDSA_MAX_CONTEXT_SIZE == kMaxContextSize && WVDS_MLDSA_MAX_SIGNATURE_SIZE == kMaxSignatureSize);
static_assert(WVDS_MLDSA_MAX_MESSAGE_SIZE + protocol::kMlDsaVerifyFixedSize + kMaxContextSize + kMaxSignatureSize +
                  kMaxPublicKeySize ==
              protocol::kMaxRequestPayload);

constexpr uint32_t kSignFlags = WVDS_MLDSA_DETERMINISTIC | WVDS_MLDSA_EXTERNAL_MU;
constexpr uint32_t kVerifyFlags = WVDS_MLDSA_EXTERNAL_MU;

struct SignArguments {
  uint32_t key_id;
  Bytes context;
  size_t message_length;
  uint32_t flags;
};

struct VerifyArguments {
  PublicKeyArgument key;
  Bytes signature;
  Bytes context;
  size_t message_length;
  uint32_t flags;
};

Result<> require_mu_rules(uint32_t flags, size_t context_length, size_t message_length) {
  const bool is_mu = (flags & WVDS_MLDSA_EXTERNAL_MU) != 0;
  return require(context_length <= kMaxContextSize && (!is_mu || (context_length == 0 && message_length == kMuSize)));
}

Result<SignArguments> sign_arguments(uint32_t key_id, const uint8_t* context, size_t context_len, size_t message_len,
                                     uint32_t flags) {
  WVDS_ASSIGN(context_bytes, input_bytes(context, context_len));
  WVDS_TRY(require((flags & ~kSignFlags) == 0));
  WVDS_TRY(require_mu_rules(flags, context_len, message_len));
  return SignArguments{key_id, context_bytes, message_len, flags};
}

Result<VerifyArguments> verify_arguments(const wvds_public_key* key, const uint8_t* signature, size_t signature_len,
                                         const uint8_t* context, size_t context_len, size_t message_len,
                                         uint32_t flags) {
  WVDS_ASSIGN(key_argument, public_key_argument(key));
  WVDS_TRY(require(key_argument.key_id != 0 || is_ml_dsa(key_argument.algorithm)));
  WVDS_ASSIGN(signature_bytes, input_bytes(signature, signature_len));
  WVDS_ASSIGN(context_bytes, input_bytes(context, context_len));
  WVDS_TRY(require((flags & ~kVerifyFlags) == 0));
  WVDS_TRY(require_mu_rules(flags, context_len, message_len));
  // No signature is that long: answered here as the service would, and the sizes below stay far from overflow.
  if (signature_len > kMaxSignatureSize) return fail(Status::kInvalidPayload);
  return VerifyArguments{key_argument, signature_bytes, context_bytes, message_len, flags};
}

// Request is a head that was written, and the place of the message behind it.
struct Request {
  MutableBytes message;
  size_t payload_length;
};

Result<Request> behind_head(MutableBytes payload, size_t head_length, size_t message_length) {
  if (message_length > payload.size() - head_length) return fail(Status::kPayloadTooLarge);
  return Request{payload.subspan(head_length, message_length), head_length + message_length};
}

Result<Request> write_head(MutableBytes payload, const SignArguments& sign) {
  WVDS_ASSIGN(head,
              protocol::encode_mldsa_sign_head(sign.key_id, static_cast<uint8_t>(sign.flags), sign.context, payload));
  return behind_head(payload, head, sign.message_length);
}

Result<Request> write_head(MutableBytes payload, const VerifyArguments& verify) {
  const protocol::MlDsaVerifyHead head{verify.key.key_id, verify.key.algorithm, static_cast<uint8_t>(verify.flags),
                                       verify.key.bytes,  verify.signature,     verify.context};
  WVDS_ASSIGN(head_length, protocol::encode_mldsa_verify_head(head, payload));
  return behind_head(payload, head_length, verify.message_length);
}

bool is_signature_size(size_t size) {
  return size == WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_44) || size == WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65) ||
         size == WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_87);
}

template <class Arguments>
Result<> begin(Session& session, wvds_call** out_call, uint8_t** out_message, Operation operation,
               const Arguments& arguments, AnswerSize answer) {
  WVDS_TRY(require(out_call != nullptr && out_message != nullptr));
  WVDS_ASSIGN(slot, session.acquire());
  WVDS_ASSIGN(request, write_head(slot.payload(), arguments));
  *out_call = session.open_call(std::move(slot), operation, request.payload_length, answer);
  *out_message = to_c(request.message);
  return {};
}

}  // namespace

wvds_status wvds_mldsa_sign(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out, uint32_t key_id,
                            const uint8_t* message, size_t message_len, const uint8_t* context, size_t context_len,
                            uint32_t flags) {
  Output output(out, out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(message_bytes, input_bytes(message, message_len));
    WVDS_ASSIGN(arguments, sign_arguments(key_id, context, context_len, message_len, flags));
    WVDS_TRY(output.require_room(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_44)));  // the smallest there is
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(request, write_head(slot.payload(), arguments));
    copy_bytes(message_bytes, request.message);
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kMlDsaSign, request.payload_length));
    WVDS_TRY(require_of_service(is_signature_size(answer.size())));
    WVDS_TRY(output.fill(answer));
    output.commit();
    return {};
  });
}

wvds_status wvds_mldsa_verify(wvds_session* session, const wvds_public_key* key, const uint8_t* signature,
                              size_t signature_len, const uint8_t* message, size_t message_len, const uint8_t* context,
                              size_t context_len, uint32_t flags) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(message_bytes, input_bytes(message, message_len));
    WVDS_ASSIGN(arguments, verify_arguments(key, signature, signature_len, context, context_len, message_len, flags));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(request, write_head(slot.payload(), arguments));
    copy_bytes(message_bytes, request.message);
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kMlDsaVerify, request.payload_length));
    return require_of_service(answer.empty());
  });
}

wvds_status wvds_mldsa_sign_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_message, uint32_t key_id,
                                  size_t message_len, const uint8_t* context, size_t context_len, uint32_t flags) {
  clear(out_call), clear(out_message);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(arguments, sign_arguments(key_id, context, context_len, message_len, flags));
    const AnswerSize any_signature{WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_44), kMaxSignatureSize};
    return begin(*live, out_call, out_message, Operation::kMlDsaSign, arguments, any_signature);
  });
}

wvds_status wvds_mldsa_verify_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_message,
                                    const wvds_public_key* key, const uint8_t* signature, size_t signature_len,
                                    size_t message_len, const uint8_t* context, size_t context_len, uint32_t flags) {
  clear(out_call), clear(out_message);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(arguments, verify_arguments(key, signature, signature_len, context, context_len, message_len, flags));
    return begin(*live, out_call, out_message, Operation::kMlDsaVerify, arguments, AnswerSize::exactly(0));
  });
}
