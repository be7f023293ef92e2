#pragma once

#include "crypto/library.h"
#include "crypto/locked_secret.h"
#include "keystore/file/file_protector.h"

namespace wvds::keystore {

inline constexpr size_t kTpmAuthSize = 32;

// AuthValueFile is where the authorisation value of the TPM's object lies: a file of exactly 32 random bytes that only
// this user and the administrator can read. Errors are kStorageError and name the file and the cure.
class AuthValueFile {
 public:
  AuthValueFile(FileName file, WhenMissing when_missing) : file_(std::move(file)), when_missing_(when_missing) {}

  // read returns the value; read_or_make makes the file, durably, where it is missing and ours to make.
  Result<crypto::LockedBytes> read();
  Result<crypto::LockedBytes> read_or_make(const crypto::Library& library);

  std::string path() const { return file_.folder->path() + "/" + file_.name; }

 private:
  Result<crypto::LockedBytes> read_existing();  // kKeyNotFound when there is none
  std::unexpected<Error> refuse(const std::string& why) const;

  FileName file_;
  WhenMissing when_missing_;
};

}  // namespace wvds::keystore
