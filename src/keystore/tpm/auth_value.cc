#include "keystore/tpm/auth_value.h"

#include "platform/durable.h"

namespace wvds::keystore {

using crypto::LockedBytes;

std::unexpected<Error> AuthValueFile::refuse(const std::string& why) const {
  return fail(Status::kStorageError, path() + ": " + why);
}

Result<LockedBytes> AuthValueFile::read_existing() {
  WVDS_TRY(file_.folder->use_folder());
  WVDS_ASSIGN(value, LockedBytes::of_size(kTpmAuthSize));
  WVDS_ASSIGN(size, file_.folder->read_secret(file_.name, value.expose_for_writing()));
  if (size == kTpmAuthSize) return value;
  return refuse("the TPM's authorisation value has exactly 32 bytes, this file has " + std::to_string(size));
}

Result<LockedBytes> AuthValueFile::read() {
  auto value = read_existing();
  if (value || value.error().status != Status::kKeyNotFound) return value;
  return refuse("the TPM's authorisation value is missing; without it the store can't be opened: put it back");
}

Result<LockedBytes> AuthValueFile::read_or_make(const crypto::Library& library) {
  auto value = read_existing();
  if (value) {
    // Perhaps made by an earlier start that ended before it was durable; the store is about to depend on it.
    WVDS_TRY(file_.folder->sync_folder(platform::SyncPoint::kOpenedFolder));
    return value;
  }
  if (value.error().status != Status::kKeyNotFound) return value;
  if (when_missing_ == WhenMissing::kRefuse)
    return refuse(
        "the TPM's authorisation value is missing; it is handed over by somebody else, with exactly 32 random bytes in "
        "it");
  WVDS_ASSIGN(made, LockedBytes::of_size(kTpmAuthSize));
  WVDS_TRY(library.random_secret(made.expose_for_writing()));
  auto written = platform::durable_replace(*file_.folder, file_.name, made.expose());
  if (!written) return std::unexpected(std::move(written.error().error));
  return made;
}

}  // namespace wvds::keystore
