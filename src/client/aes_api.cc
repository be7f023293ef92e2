#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/aes_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

// AES_ENCRYPT alone would take 28 bytes more, which AES_DECRYPT, carrying nonce and tag as well, could then not bring
// back in one request.
constexpr size_t kMaxSize = protocol::kMaxRequestPayload - protocol::kAesRequestFixedSize - kNonceSize - kTagSize;

static_assert(WVDS_AES_MAX_SIZE == kMaxSize);
static_assert(WVDS_AES_NONCE_SIZE == kNonceSize && WVDS_AES_TAG_SIZE == kTagSize);
static_assert(WVDS_AES_OVERHEAD == kNonceSize + kTagSize && WVDS_AES_KEY_SIZE == kAesKeySize);

// Shape is the sizes of one request: `data` is the plaintext, or with nonce and tag what decrypts to it.
struct Shape {
  Operation operation;
  size_t aad;
  size_t data;
  size_t answer;
};

Result<> require_one_request(size_t aad_length, size_t plaintext_length) {
  if (plaintext_length > kMaxSize || aad_length > kMaxSize - plaintext_length) return fail(Status::kPayloadTooLarge);
  return {};
}

Result<Shape> encrypt_shape(size_t aad_length, size_t plaintext_length) {
  WVDS_TRY(require_one_request(aad_length, plaintext_length));
  return Shape{Operation::kAesEncrypt, aad_length, plaintext_length, WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext_length)};
}

Result<Shape> decrypt_shape(size_t aad_length, size_t sealed_length) {
  if (sealed_length < WVDS_AES_OVERHEAD) return fail(Status::kInvalidPayload);
  const size_t plaintext_length = WVDS_AES_DECRYPT_OUTPUT_SIZE(sealed_length);
  WVDS_TRY(require_one_request(aad_length, plaintext_length));
  return Shape{Operation::kAesDecrypt, aad_length, sealed_length, plaintext_length};
}

// Places is where AAD and data stand in the slot.
struct Places {
  MutableBytes aad;
  MutableBytes data;
  size_t payload_length;
};

Result<Places> write_head(MutableBytes payload, uint32_t key_id, const Shape& shape) {
  WVDS_ASSIGN(head, protocol::encode_aes_request_head(key_id, shape.aad, payload));
  return Places{payload.subspan(head, shape.aad), payload.subspan(head + shape.aad, shape.data),
                head + shape.aad + shape.data};
}

Result<> run(const Session& session, Output& output, uint32_t key_id, const Shape& shape, Bytes aad, Bytes data) {
  WVDS_TRY(output.require_room(shape.answer));
  WVDS_ASSIGN(slot, session.acquire());
  WVDS_ASSIGN(places, write_head(slot.payload(), key_id, shape));
  copy_bytes(aad, places.aad);
  copy_bytes(data, places.data);
  WVDS_ASSIGN(answer, session.exchange(slot, shape.operation, places.payload_length));
  WVDS_TRY(require_of_service(answer.size() == shape.answer));
  WVDS_TRY(output.fill(answer));
  output.commit();
  return {};
}

Result<> begin(Session& session, wvds_call** out_call, uint8_t** out_data, uint8_t** out_aad, uint32_t key_id,
               const Shape& shape) {
  WVDS_TRY(require(out_call != nullptr && out_data != nullptr && (out_aad != nullptr || shape.aad == 0)));
  WVDS_ASSIGN(slot, session.acquire());
  WVDS_ASSIGN(places, write_head(slot.payload(), key_id, shape));
  *out_call =
      session.open_call(std::move(slot), shape.operation, places.payload_length, AnswerSize::exactly(shape.answer));
  *out_data = to_c(places.data);
  if (out_aad != nullptr) *out_aad = to_c(places.aad);
  return {};
}

}  // namespace

wvds_status wvds_aes_encrypt(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out, uint32_t key_id,
                             const uint8_t* plaintext, size_t plaintext_len, const uint8_t* aad, size_t aad_len) {
  Output output(out, out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(data, input_bytes(plaintext, plaintext_len));
    WVDS_ASSIGN(extra, input_bytes(aad, aad_len));
    WVDS_ASSIGN(shape, encrypt_shape(extra.size(), data.size()));
    return run(*live, output, key_id, shape, extra, data);
  });
}

wvds_status wvds_aes_decrypt(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out, uint32_t key_id,
                             const uint8_t* sealed, size_t sealed_len, const uint8_t* aad, size_t aad_len) {
  Output output(out, out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(data, input_bytes(sealed, sealed_len));
    WVDS_ASSIGN(extra, input_bytes(aad, aad_len));
    WVDS_ASSIGN(shape, decrypt_shape(extra.size(), data.size()));
    return run(*live, output, key_id, shape, extra, data);
  });
}

wvds_status wvds_aes_encrypt_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_plaintext,
                                   uint8_t** out_aad, uint32_t key_id, size_t plaintext_len, size_t aad_len) {
  clear(out_call), clear(out_plaintext), clear(out_aad);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(shape, encrypt_shape(aad_len, plaintext_len));
    return begin(*live, out_call, out_plaintext, out_aad, key_id, shape);
  });
}

wvds_status wvds_aes_decrypt_begin(wvds_session* session, wvds_call** out_call, uint8_t** out_sealed, uint8_t** out_aad,
                                   uint32_t key_id, size_t sealed_len, size_t aad_len) {
  clear(out_call), clear(out_sealed), clear(out_aad);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(shape, decrypt_shape(aad_len, sealed_len));
    return begin(*live, out_call, out_sealed, out_aad, key_id, shape);
  });
}
