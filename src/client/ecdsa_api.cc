#include <limits>

#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/ecdsa_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_SHA256 == static_cast<int>(Hash::kSha256) && WVDS_SHA384 == static_cast<int>(Hash::kSha384) &&
              WVDS_SHA512 == static_cast<int>(Hash::kSha512));
static_assert(WVDS_ECDSA_DIGEST == protocol::kEcdsaDigest);
static_assert(WVDS_ECDSA_MAX_SIGNATURE_SIZE == kMaxEcdsaSignatureSize);
static_assert(WVDS_ECDSA_MAX_MESSAGE_SIZE == protocol::kMaxEcdsaMessageSize);

// HashedMessage is a checked message with what is to be done with it.
struct HashedMessage {
  Bytes bytes;
  Hash hash;
  uint8_t flags;
};

Result<Hash> hash_argument(wvds_hash hash) {
  WVDS_TRY(require(hash <= std::numeric_limits<uint8_t>::max()));
  const auto value = static_cast<Hash>(hash);
  WVDS_TRY(require(hash_size(value) != 0));
  return value;
}

Result<HashedMessage> message_argument(const uint8_t* message, size_t message_len, wvds_hash hash, uint32_t flags) {
  WVDS_ASSIGN(bytes, input_bytes(message, message_len));
  WVDS_ASSIGN(value, hash_argument(hash));
  WVDS_TRY(require((flags & ~uint32_t{WVDS_ECDSA_DIGEST}) == 0));
  const bool is_digest = (flags & WVDS_ECDSA_DIGEST) != 0;
  WVDS_TRY(require(!is_digest || message_len == hash_size(value)));
  return HashedMessage{bytes, value, static_cast<uint8_t>(flags)};
}

Result<PublicKeyArgument> ecdsa_key_argument(const wvds_public_key* key) {
  WVDS_ASSIGN(argument, public_key_argument(key));
  WVDS_TRY(require(argument.key_id != 0 || is_ecdsa(argument.algorithm)));
  return argument;
}

// No signature is that long: answered here as the service would.
Result<Bytes> signature_argument(const uint8_t* signature, size_t length) {
  WVDS_ASSIGN(bytes, input_bytes(signature, length));
  if (length > kMaxEcdsaSignatureSize) return fail(Status::kInvalidPayload);
  return bytes;
}

// is_signature tells whether the answer is a SEQUENCE as long as it says, in the one form that DER has for it.
bool is_signature(UntrustedBytes answer) {
  constexpr size_t kHeader = 2;
  if (answer.size() < kHeader || answer.size() > kMaxEcdsaSignatureSize) return false;
  Reader reader(answer);
  const uint8_t tag = reader.u8(), length = reader.u8();
  return tag == 0x30 && length == answer.size() - kHeader;
}

// append writes the message behind the head and gives the length of the whole payload.
Result<size_t> append(MutableBytes payload, size_t head_length, Bytes message) {
  if (message.size() > payload.size() - head_length) return fail(Status::kPayloadTooLarge);
  copy_bytes(message, payload.subspan(head_length, message.size()));
  return head_length + message.size();
}

}  // namespace

wvds_status wvds_ecdsa_sign(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out, uint32_t key_id,
                            const uint8_t* message, size_t message_len, wvds_hash hash, uint32_t flags) {
  Output output(out, out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(hashed, message_argument(message, message_len, hash, flags));
    // Which length a signature gets is chance: with less room some calls would fail.
    WVDS_TRY(output.require_room(kMaxEcdsaSignatureSize));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(head, protocol::encode_ecdsa_sign_head(key_id, hashed.hash, hashed.flags, slot.payload()));
    WVDS_ASSIGN(length, append(slot.payload(), head, hashed.bytes));
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kEcdsaSign, length));
    WVDS_TRY(require_of_service(is_signature(answer)));
    WVDS_TRY(output.fill(answer));
    output.commit();
    return {};
  });
}

wvds_status wvds_ecdsa_verify(wvds_session* session, const wvds_public_key* key, const uint8_t* signature,
                              size_t signature_len, const uint8_t* message, size_t message_len, wvds_hash hash,
                              uint32_t flags) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(hashed, message_argument(message, message_len, hash, flags));
    WVDS_ASSIGN(named, ecdsa_key_argument(key));
    WVDS_ASSIGN(signature_bytes, signature_argument(signature, signature_len));
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::EcdsaVerifyHead head{named.key_id, named.algorithm, hashed.hash,
                                         hashed.flags, named.bytes,     signature_bytes};
    WVDS_ASSIGN(head_length, protocol::encode_ecdsa_verify_head(head, slot.payload()));
    WVDS_ASSIGN(length, append(slot.payload(), head_length, hashed.bytes));
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kEcdsaVerify, length));
    return require_of_service(answer.empty());
  });
}
