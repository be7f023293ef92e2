#include <algorithm>
#include <cstring>

#include "base/secret.h"
#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/key_messages.h"
#include "protocol/mlkem_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_MAX_LABEL_SIZE == protocol::kMaxLabelSize && WVDS_MAX_OWNER_SIZE == protocol::kMaxPrincipalSize);
static_assert(WVDS_MAX_KEY_VERSIONS == protocol::kMaxKeyVersions && WVDS_MAX_KEY_LIST == protocol::kMaxKeyListEntries);
static_assert(WVDS_MAX_PUBLIC_KEY_SIZE == kMaxPublicKeySize && WVDS_MAX_PROVIDER_SIZE == protocol::kMaxProviderSize);
static_assert(WVDS_MAX_USES == kMostUses);
static_assert(WVDS_KEY_REPLAY_WINDOW_OFF == protocol::kKeyFlagReplayWindowOff &&
              WVDS_KEY_INSIDE_TOKEN == protocol::kKeyFlagInsideToken);
static_assert(WVDS_KEY_FORMAT_RAW == static_cast<int>(protocol::KeyFormat::kRaw) &&
              WVDS_KEY_FORMAT_SEED == static_cast<int>(protocol::KeyFormat::kSeed) &&
              WVDS_KEY_FORMAT_PKCS8 == static_cast<int>(protocol::KeyFormat::kPkcs8) &&
              WVDS_KEY_FORMAT_PUBLIC == static_cast<int>(protocol::KeyFormat::kPublic));
static_assert(WVDS_KEY_VERSION_ACTIVE == static_cast<int>(protocol::KeyVersionState::kActive) &&
              WVDS_KEY_VERSION_RETIRED == static_cast<int>(protocol::KeyVersionState::kRetired));
static_assert(WVDS_PLACE_MEMORY == static_cast<int>(protocol::KeyPlace::kMemory) &&
              WVDS_PLACE_FILE == static_cast<int>(protocol::KeyPlace::kFile) &&
              WVDS_PLACE_TPM == static_cast<int>(protocol::KeyPlace::kTpm) &&
              WVDS_PLACE_HSM_WRAPPED == static_cast<int>(protocol::KeyPlace::kHsmWrapped) &&
              WVDS_PLACE_HSM_INSIDE == static_cast<int>(protocol::KeyPlace::kHsmInside));

Result<std::string> label_argument(const char* label) {
  if (label == nullptr) return std::string();
  const size_t length = strnlen(label, protocol::kMaxLabelSize + 1);
  WVDS_TRY(require(length <= protocol::kMaxLabelSize));
  return std::string(label, length);
}

Result<protocol::KeyTemplate> template_argument(const wvds_key_template* key) {
  WVDS_TRY(require(key != nullptr && key->reserved[0] == 0 && key->reserved[1] == 0));
  WVDS_ASSIGN(algorithm, algorithm_argument(key->algorithm));
  WVDS_ASSIGN(lifetime, lifetime_argument(key->lifetime));
  WVDS_ASSIGN(usages, usages_argument(key->usages));
  WVDS_TRY(require((key->flags & ~uint32_t{protocol::kKeyFlags}) == 0));
  WVDS_ASSIGN(label, label_argument(key->label));
  const KeyLimits limits{key->max_uses, key->not_before, key->not_after};
  WVDS_TRY(require(limits_are_sound(limits)));
  return protocol::KeyTemplate{algorithm, lifetime, usages, static_cast<uint8_t>(key->flags), std::move(label), limits};
}

bool material_fits(Algorithm algorithm, wvds_key_format format, size_t length) {
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  switch (format) {
    case WVDS_KEY_FORMAT_RAW: return !is_post_quantum(algorithm) && length == info.secret;
    case WVDS_KEY_FORMAT_SEED: return is_post_quantum(algorithm) && length == info.secret;
    case WVDS_KEY_FORMAT_PKCS8: return !is_aes(algorithm) && length != 0;
    case WVDS_KEY_FORMAT_PUBLIC: return !is_aes(algorithm) && length == info.public_key;
    default: return false;
  }
}

bool is_public_key_size(size_t size) {
  return size != 0 && std::ranges::find(algorithms(), size, &AlgorithmInfo::public_key) != algorithms().end();
}

bool is_signing_key_size(size_t size) {
  return std::ranges::any_of(
      algorithms(), [&](const AlgorithmInfo& info) { return signs(info.algorithm) && info.public_key == size; });
}

// hand_out gives the caller what a request that made a key of `algorithm` was answered with.
Result<> hand_out(UntrustedBytes payload, Algorithm algorithm, uint32_t* out_key_id, OptionalOutput& public_key) {
  WVDS_ASSIGN(answer, trusting_no_service(protocol::KeyCreatedAnswer::decode(payload)));
  WVDS_TRY(require_of_service(answer.public_key.size() == algorithm_info(algorithm)->public_key));
  WVDS_TRY(public_key.fill(answer.public_key));
  public_key.commit();
  *out_key_id = answer.key_id;
  return {};
}

// exchange_secret wipes the request after the answer. After a timeout it must not: the service may still be reading,
// and half a key is a key too; the service wipes what it has read.
Result<UntrustedBytes> exchange_secret(const Session& session, Slot& slot, Operation operation, size_t length) {
  const MutableBytes request = slot.payload();  // after submit the slot hands it out no more
  Result<UntrustedBytes> answer = session.exchange(slot, operation, length);
  if (answer || answer.error().status != Status::kTimeout) secure_wipe(request.data(), length);
  return answer;
}

// change runs a request whose answer is empty.
template <class Request>
Result<> change(wvds_session* session, Operation operation, const Request& request) {
  WVDS_ASSIGN(live, session_of(session));
  WVDS_ASSIGN(slot, live->acquire());
  WVDS_ASSIGN(length, request.encode(slot.payload()));
  WVDS_ASSIGN(answer, live->exchange(slot, operation, length));
  return require_of_service(answer.empty());
}

wvds_key_entry entry_of(const protocol::KeyListEntry& entry) {
  wvds_key_entry out{};
  out.key_id = entry.key_id;
  out.algorithm = static_cast<wvds_algorithm>(entry.algorithm);
  out.lifetime = static_cast<wvds_lifetime>(entry.lifetime);
  out.usages = entry.usages;
  out.num_versions = entry.versions;
  copy_text(entry.label, out.label);
  return out;
}

wvds_key_version version_of(const protocol::KeyVersionInfo& version) {
  return {version.number,      static_cast<uint32_t>(version.state),
          version.uses,        version.use_limit,
          version.window_used, version.window_capacity};
}

wvds_key_details details_of(const protocol::KeyInfoAnswer& info) {
  wvds_key_details out{};
  out.key_id = info.key_id;
  out.algorithm = static_cast<wvds_algorithm>(info.algorithm);
  out.lifetime = static_cast<wvds_lifetime>(info.lifetime);
  out.usages = info.usages;
  out.flags = info.flags;
  out.place = static_cast<uint32_t>(info.place);
  copy_text(info.owner, out.owner);
  copy_text(info.label, out.label);
  out.is_inside_fips = info.inside_fips ? 1 : 0;
  copy_text(info.provider, out.provider);
  out.max_uses = info.limits.max_uses;
  out.not_before = info.limits.not_before;
  out.not_after = info.limits.not_after;
  for (const protocol::KeyVersionInfo& version : info.versions) out.versions[out.num_versions++] = version_of(version);
  return out;
}

}  // namespace

wvds_status wvds_key_generate(wvds_session* session, uint32_t* out_key_id, uint8_t* out_public_key,
                              size_t* out_public_key_len, size_t max_public_key, const wvds_key_template* key) {
  clear(out_key_id);
  OptionalOutput public_key(out_public_key, out_public_key_len, max_public_key);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out_key_id != nullptr));
    WVDS_ASSIGN(wanted, template_argument(key));
    WVDS_TRY(public_key.require_room(algorithm_info(wanted.algorithm)->public_key));
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::KeyGenerateRequest request{wanted};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kKeyGenerate, length));
    return hand_out(answer, wanted.algorithm, out_key_id, public_key);
  });
}

wvds_status wvds_key_import(wvds_session* session, uint32_t* out_key_id, uint8_t* out_public_key,
                            size_t* out_public_key_len, size_t max_public_key, const wvds_key_template* key,
                            wvds_key_format format, const uint8_t* material, size_t material_len) {
  clear(out_key_id);
  OptionalOutput public_key(out_public_key, out_public_key_len, max_public_key);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out_key_id != nullptr));
    WVDS_ASSIGN(wanted, template_argument(key));
    WVDS_ASSIGN(bytes, input_bytes(material, material_len));
    WVDS_TRY(require(material_fits(wanted.algorithm, format, bytes.size())));
    WVDS_TRY(public_key.require_room(algorithm_info(wanted.algorithm)->public_key));
    if (bytes.size() > protocol::kMaxRequestPayload - protocol::kKeyTemplateFixedSize - wanted.label.size()) {
      return fail(Status::kPayloadTooLarge);
    }
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(length, protocol::encode_key_import_request(wanted, static_cast<protocol::KeyFormat>(format), bytes,
                                                            slot.payload()));
    WVDS_ASSIGN(answer, exchange_secret(*live, slot, Operation::kKeyImport, length));
    return hand_out(answer, wanted.algorithm, out_key_id, public_key);
  });
}

wvds_status wvds_key_public(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out, uint32_t key_id,
                            uint32_t version) {
  Output output(out, out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(output.require_room(WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_ECDSA_P256)));  // the smallest there is
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::KeyVersionRequest request{key_id, version};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kKeyPublic, length));
    WVDS_TRY(require_of_service(is_public_key_size(answer.size())));
    WVDS_TRY(output.fill(answer));
    output.commit();
    return {};
  });
}

wvds_status wvds_key_list(wvds_session* session, wvds_key_entry* out, size_t* out_num, size_t max_num, int* out_more,
                          uint32_t after_key_id) {
  clear(out_num), clear(out_more);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out != nullptr && out_num != nullptr && out_more != nullptr && max_num != 0));
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::KeyIdRequest request{after_key_id};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kKeyList, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::KeyListAnswer::decode(payload)));
    WVDS_TRY(require_of_service(answer.entries.empty() || answer.entries.front().key_id > after_key_id));
    const size_t count = std::min(max_num, answer.entries.size());
    for (size_t i = 0; i < count; ++i) out[i] = entry_of(answer.entries[i]);
    *out_num = count;
    *out_more = answer.more || count < answer.entries.size() ? 1 : 0;
    return {};
  });
}

wvds_status wvds_key_info(wvds_session* session, wvds_key_details* out, uint32_t key_id) {
  clear(out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out != nullptr));
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::KeyIdRequest request{key_id};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kKeyInfo, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::KeyInfoAnswer::decode(payload)));
    WVDS_TRY(require_of_service(answer.key_id == key_id));
    *out = details_of(answer);
    return {};
  });
}

wvds_status wvds_key_rotate(wvds_session* session, uint32_t* out_version, uint8_t* out_public_key,
                            size_t* out_public_key_len, size_t max_public_key, uint32_t key_id) {
  clear(out_version);
  OptionalOutput public_key(out_public_key, out_public_key_len, max_public_key);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out_version != nullptr));
    WVDS_TRY(public_key.require_room(WVDS_MAX_PUBLIC_KEY_SIZE));  // the key is rotated before its size is known
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::KeyIdRequest request{key_id};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kKeyRotate, length));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::KeyRotateAnswer::decode(payload)));
    WVDS_TRY(require_of_service(answer.version != 0 &&
                                (answer.public_key.empty() || is_signing_key_size(answer.public_key.size()))));
    WVDS_TRY(public_key.fill(answer.public_key));
    public_key.commit();
    *out_version = answer.version;
    return {};
  });
}

wvds_status wvds_key_retire(wvds_session* session, uint32_t key_id) {
  return guard([&] { return change(session, Operation::kKeyRetire, protocol::KeyIdRequest{key_id}); });
}

wvds_status wvds_key_delete(wvds_session* session, uint32_t key_id, uint32_t version) {
  return guard([&] { return change(session, Operation::kKeyDelete, protocol::KeyVersionRequest{key_id, version}); });
}
