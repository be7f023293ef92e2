#pragma once

#include <memory>

#include "base/result.h"
#include "crypto/locked_secret.h"
#include "keystore/file/file_protector.h"

namespace wvds::keystore::hsm {

inline constexpr size_t kMaxPin = 255;  // bytes

// PinSource is where the token's PIN comes from.
class PinSource {
 public:
  virtual ~PinSource() = default;

  // read gives a PIN of 1 to 255 bytes; kStorageError with the cause. May block (a prompt).
  virtual Result<crypto::LockedBytes> read() = 0;

  // advice is added where the PIN was wrong: what else may be the matter.
  virtual std::string advice() { return {}; }
};

// read_pin reads a PIN from a file that only this user and the administrator can reach; one line end does not belong to
// it. kKeyNotFound when there is no such file, otherwise kStorageError.
Result<crypto::LockedBytes> read_pin(const FileName& file);

// new_pin_name is where a new PIN is while the token's PIN is being changed: beside the PIN file. (Not NAME.new, which
// is where durable_replace writes.)
std::string new_pin_name(const FileName& file);

std::unique_ptr<PinSource> make_file_pin(FileName file);

}  // namespace wvds::keystore::hsm
