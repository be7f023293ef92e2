#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "keystore/protector.h"
#include "platform/file_name.h"

// Protectors whose secret is in a file that only the service's user and the administrator can read: a key file, or a
// passphrase handed over in a file (a credential of the service manager). docs/storage-format.md, "Protector file", has
// their headers.
namespace wvds::keystore {

inline constexpr size_t kMinPassphraseCharacters = 12;
inline constexpr size_t kMaxPassphraseBytes = 1024;

using platform::file_name;
using platform::FileName;

enum class WhenMissing : uint8_t {
  kMake,
  kRefuse,  // the file is somebody else's to make: a credential
};

// make_key_file_protector uses a file of exactly 32 random bytes. Where it is missing create makes it, durably,
// readable by this user only, or refuses; its folder must be there and be closed to others. A file that others can
// reach, or of another length, is refused.
std::unique_ptr<Protector> make_key_file_protector(FileName file, WhenMissing when_missing = WhenMissing::kMake);

// make_passphrase_protector reads a passphrase: the file's content without one line end, at least 12 characters
// (UTF-8), at most 1,024 bytes. create derives the key by PBKDF2-HMAC-SHA-512 with 600,000 iterations where the
// library's FIPS provider is active, else by Argon2id with 64 MB of memory; unlock as the header says. Both block for
// some tenths of a second. Where FIPS is required a header of Argon2id is refused; kLimitReached where its memory can't
// be had.
std::unique_ptr<Protector> make_passphrase_protector(FileName file);

// read_passphrase returns the passphrase that a file holds, as make_passphrase_protector reads it. kStorageError, with
// the file's path and the cause.
Result<crypto::LockedBytes> read_passphrase(FileName& file);

}  // namespace wvds::keystore
