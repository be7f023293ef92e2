#include "keystore/hsm/pin_change.h"

#include "platform/durable.h"

namespace wvds::keystore::hsm {
namespace {

using crypto::LockedBytes;

constexpr const char* kHowToFinish = "; run \"wvds store pin\" without --new-pin-file to finish the change";

// KnownPin is a PIN that was read before.
class KnownPin final : public PinSource {
 public:
  explicit KnownPin(const LockedBytes& pin) : pin_(pin) {}
  Result<LockedBytes> read() override { return LockedBytes::copy_of(pin_.expose()); }

 private:
  const LockedBytes& pin_;
};

FileName beside(const FileName& file) { return {platform::open_disk(file.folder->path()), new_pin_name(file)}; }

Result<LockedBytes> read_old(const FileName& file) {
  auto pin = read_pin(file);
  if (pin || pin.error().status != Status::kKeyNotFound) return pin;
  return fail(Status::kStorageError, pin.error().detail + ": the file with the token's PIN is missing");
}

Result<> keep_new_pin(const FileName& file, Bytes new_pin) {
  auto written = platform::durable_replace(*file.folder, new_pin_name(file), new_pin);
  if (!written) return std::unexpected(std::move(written.error().error));
  return {};
}

Result<> forget_new_pin(const FileName& file) {
  auto removed = platform::durable_remove(*file.folder, new_pin_name(file));
  if (!removed) return std::unexpected(std::move(removed.error().error));
  return {};
}

Result<> put_new_pin_in_place(const FileName& file) {
  WVDS_TRY(file.folder->rename(new_pin_name(file), file.name));
  return file.folder->sync_folder(platform::SyncPoint::kNewName);
}

// tell_token makes `new_pin` the token's. Only a token that answered is known to have the old one still.
Result<> tell_token(TokenSession& session, const FileName& file, Bytes new_pin) {
  bool answered = false;
  auto changed = session.change_pin(new_pin, answered);
  if (changed) return {};
  if (!answered) return fail(Status::kStorageError, changed.error().detail + kHowToFinish);
  WVDS_TRY(forget_new_pin(file));
  return changed;
}

}  // namespace

Result<> change_pin_file(const OpenSession& open, const FileName& file, Bytes new_pin) {
  WVDS_ASSIGN(old_pin, read_old(file));
  if (const auto before = read_pin(beside(file)); before || before.error().status != Status::kKeyNotFound) {
    return fail(Status::kInvalidArgument, file.folder->path() + "/" + new_pin_name(file) +
                                              ": a change of the PIN was interrupted" + kHowToFinish);
  }
  WVDS_ASSIGN(session, open(std::make_unique<KnownPin>(old_pin)));
  WVDS_TRY(session->open());
  WVDS_TRY(keep_new_pin(file, new_pin));
  WVDS_TRY(tell_token(*session, file, new_pin));
  return put_new_pin_in_place(file);
}

Result<> finish_pin_change(const OpenSession& open, const FileName& file) {
  WVDS_ASSIGN(old_pin, read_old(file));
  auto new_pin = read_pin(beside(file));
  if (!new_pin && new_pin.error().status == Status::kKeyNotFound)
    return fail(Status::kInvalidArgument, "no change of the PIN was interrupted; --new-pin-file begins one");
  if (!new_pin) return forward_error(new_pin);
  {
    WVDS_ASSIGN(session, open(std::make_unique<KnownPin>(old_pin)));
    const auto opened = session->open();
    if (opened) {
      WVDS_TRY(tell_token(*session, file, new_pin->expose()));
      return put_new_pin_in_place(file);
    }
    if (!session->pin_was_wrong()) return std::unexpected(opened.error());
  }
  WVDS_ASSIGN(session, open(std::make_unique<KnownPin>(*new_pin)));
  if (const auto opened = session->open(); !opened) {
    return fail(Status::kStorageError, "the token has neither the PIN of " + file.name + " nor that of " +
                                           new_pin_name(file) + ": " + opened.error().detail);
  }
  return put_new_pin_in_place(file);
}

}  // namespace wvds::keystore::hsm
