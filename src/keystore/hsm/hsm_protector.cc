#include "keystore/hsm/hsm_protector.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "keystore/hsm/token_keys.h"

namespace wvds::keystore::hsm {
namespace {

using crypto::Library;
using crypto::LockedBytes;

constexpr uint8_t kLayout = 1;
constexpr size_t kFixedSize = 8;
constexpr size_t kIdSize = 16;                    // of a key that create makes
constexpr size_t kWrappedSize = kAesKeySize + 8;  // RFC 5649, section 3
constexpr size_t kMaxSerial = 16;                 // CK_TOKEN_INFO
constexpr size_t kMaxId = 64;

struct HsmHeader {
  uint32_t mechanism = 0;
  std::string serial;
  std::vector<std::byte> key_id;
  std::vector<std::byte> wrapped;

  std::vector<std::byte> encode() const {
    std::vector<std::byte> out(kFixedSize + serial.size() + key_id.size() + wrapped.size());
    Writer writer(out);
    writer.u8(kLayout);
    writer.u8(static_cast<uint8_t>(serial.size()));
    writer.u8(static_cast<uint8_t>(key_id.size()));
    writer.u8(0);
    writer.u32(mechanism);
    writer.text(serial);
    writer.bytes(key_id);
    writer.bytes(wrapped);
    return out;
  }

  static Result<HsmHeader> decode(Bytes header) {
    Reader reader(header);
    const uint8_t layout = reader.u8();
    const uint8_t serial_size = reader.u8();
    const uint8_t id_size = reader.u8();
    const uint8_t zero = reader.u8();
    HsmHeader out;
    out.mechanism = reader.u32();
    out.serial = reader.text(serial_size);
    out.key_id.resize(std::min<size_t>(id_size, reader.left()));
    reader.copy(out.key_id);
    if (reader.failed() || out.key_id.size() != id_size || reader.left() != kWrappedSize || id_size == 0 ||
        id_size > kMaxId || serial_size > kMaxSerial) {
      return fail(Status::kStorageError, "the store's header is not one of protector hsm");
    }
    if (layout != kLayout || zero != 0)
      return fail(Status::kUnsupported, "the store's header was written by a newer program");
    out.wrapped.resize(kWrappedSize);
    reader.copy(out.wrapped);
    return out;
  }
};

std::unexpected<Error> malformed() { return fail(Status::kStorageError, "the PKCS#11 helper's answer is malformed"); }

class HsmProtector final : public Protector {
 public:
  HsmProtector(std::shared_ptr<TokenSession> session, std::string key_label)
      : session_(std::move(session)), token_keys_(make_token_keys(session_)), key_label_(std::move(key_label)) {}

  Place place() const override { return Place::kHsmWrapped; }
  std::shared_ptr<TokenKeys> token_keys() override { return token_keys_; }

  Result<LockedBytes> create(const Library& library, std::vector<std::byte>& header) override {
    WVDS_ASSIGN(token, session_->open());
    HsmHeader fields;
    fields.serial = token.facts.serial;
    WVDS_ASSIGN(id, use_key(library));
    fields.key_id = std::move(id);
    WVDS_ASSIGN(key, LockedBytes::of_size(kAesKeySize));
    WVDS_TRY(library.random_secret(key.expose_for_writing()));
    WVDS_TRY(wrap(fields, key.expose()));
    // Before anything depends on it: a token that can't give back what it took must not be found out at the next start.
    WVDS_ASSIGN(again, unwrap(fields));
    if (!crypto::equal_constant_time(again.expose(), key.expose()))
      return fail(Status::kStorageError, "the token gave back another key than it wrapped: it can't be used");
    header = fields.encode();
    return key;
  }

  Result<LockedBytes> unlock(const Library&, Bytes header) override {
    WVDS_ASSIGN(fields, HsmHeader::decode(header));
    WVDS_ASSIGN(token, session_->open());
    if (token.facts.serial != fields.serial) {
      return fail(Status::kStorageError, "the store was made with the token of serial number " + fields.serial +
                                             ", and this one, \"" + token.facts.label + "\", has " +
                                             token.facts.serial + ": put the right one in");
    }
    return unwrap(fields);
  }

 private:
  Result<std::vector<std::byte>> use_key(const Library& library) {
    std::array<std::byte, kIdSize> id{};
    WVDS_TRY(library.random(id));
    WVDS_ASSIGN(answer, session_->ask(Request::kUseKey, [&](Message& message) {
      message.add_text(key_label_);
      message.add(id);
    }));
    const auto used = answer.bytes(0, 1, kMaxId);
    const auto finding = answer.number(1);
    if (!used || !finding) return malformed();
    if ((*finding & kWrapsUnextractable) != 0)
      log_warning("the token wraps a key that it says can't be extracted: it protects nothing", {{"key", key_label_}});
    log_info((*finding & kMadeNow) != 0 ? "a key was made in the token" : "a key of the token is used",
             {{"key", key_label_}});
    return std::vector<std::byte>(used->begin(), used->end());
  }

  Result<> wrap(HsmHeader& fields, Bytes key) {
    WVDS_ASSIGN(answer, session_->ask(Request::kWrap, [&](Message& message) {
      message.add(fields.key_id);
      message.add_number(0);
      message.add(key);
    }));
    const auto mechanism = answer.number(0);
    const auto wrapped = answer.bytes(1, kWrappedSize, kWrappedSize);
    if (!mechanism || *mechanism > UINT32_MAX || !wrapped)
      return fail(Status::kStorageError, "the token's key wrapping is not the one of RFC 5649");
    fields.mechanism = static_cast<uint32_t>(*mechanism);
    fields.wrapped.assign(wrapped->begin(), wrapped->end());
    return {};
  }

  Result<LockedBytes> unwrap(const HsmHeader& fields) {
    WVDS_ASSIGN(answer, session_->ask(Request::kUnwrap, [&](Message& message) {
      message.add(fields.key_id);
      message.add_number(fields.mechanism);
      message.add(fields.wrapped);
    }));
    const auto key = answer.bytes(0, kAesKeySize, kAesKeySize);
    if (!key) return fail(Status::kStorageError, "the token gave back something that is no key of the store");
    return LockedBytes::copy_of(*key);
  }

  const std::shared_ptr<TokenSession> session_;
  const std::shared_ptr<TokenKeys> token_keys_;
  const std::string key_label_;
};

}  // namespace

std::unique_ptr<Protector> make_hsm_protector(std::shared_ptr<TokenSession> session, std::string key_label) {
  return std::make_unique<HsmProtector>(std::move(session), std::move(key_label));
}

}  // namespace wvds::keystore::hsm
