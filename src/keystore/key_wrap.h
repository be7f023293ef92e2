#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// A 32-byte key encrypted under another one, as protector headers hold it.
namespace wvds::keystore {

inline constexpr size_t kWrappedKeySize = kNonceSize + kAesKeySize + kTagSize;

// wrap_key appends nonce, encrypted key and tag to `header`, whose bytes so far are authenticated with it. AES-256-GCM,
// random nonce.
Result<> wrap_key(const crypto::Library& library, Bytes wrapping_key, Bytes key, std::vector<std::byte>& header);

// unwrap_key opens what wrap_key appended: the last kWrappedKeySize bytes of `header`. kDecryptionFailed for another
// wrapping key or a changed header, kInvalidPayload for one that is too short.
Result<crypto::LockedBytes> unwrap_key(const crypto::Library& library, Bytes wrapping_key, Bytes header);

}  // namespace wvds::keystore
