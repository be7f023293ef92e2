#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// What all blobs of a store have in common: docs/storage-format.md, "Every file". A blob has a clear part, which
// anybody can read and nobody can change unseen, and a sealed part, which is encrypted with it as additional data.
namespace wvds::keystore {

inline constexpr uint8_t kFormatVersion = 1;

enum class BlobKind : uint8_t { kHeader = 1, kIndex = 2, kKey = 3, kArchive = 4 };

using StoreId = std::array<std::byte, 16>;

// BlobView is what parse_blob found; all spans are into the blob.
struct BlobView {
  BlobKind kind = BlobKind::kHeader;
  StoreId store{};
  Bytes clear;
  Bytes authenticated;  // head and clear part
  crypto::Nonce nonce{};
  Bytes sealed;
  crypto::Tag tag{};
};

// refuse_blob is the kStorageError that says what is wrong with the blob `name`.
std::unexpected<Error> refuse_blob(std::string_view name, std::string_view why);

// split_blob checks the structure only, not the checksum. `name` begins the message of the error: kStorageError for
// what is damaged or no blob of this kind, kUnsupported for what a newer program wrote.
Result<BlobView> split_blob(std::string_view name, BlobKind kind, Bytes blob);

// parse_blob checks structure and checksum: it tells a damaged blob from one that is whole but not for us. The clear
// part is not authentic before open_sealed succeeded.
Result<BlobView> parse_blob(const crypto::Library& library, std::string_view name, BlobKind kind, Bytes blob);

// seal_blob encrypts `secret` (may be empty) under `key` with a fresh random nonce, authenticates `clear`, and adds
// head and checksum.
Result<std::vector<std::byte>> seal_blob(const crypto::Library& library, Bytes key, BlobKind kind, const StoreId& store,
                                         Bytes clear, Bytes secret);

// open_sealed authenticates the whole blob and decrypts its sealed part. kStorageError when it was not made under
// `key`.
Result<crypto::LockedBytes> open_sealed(const crypto::Library& library, std::string_view name, Bytes key,
                                        const BlobView& blob);

// derive_key makes the key of one use: HKDF-SHA256 with the store's id as salt and `label` as info.
Result<crypto::LockedBytes> derive_key(const crypto::Library& library, Bytes secret, const StoreId& store, Bytes label);

// blob_size is the size of a blob with parts of these sizes.
size_t blob_size(size_t clear, size_t secret);

// store_id_text writes an id as 32 hex digits.
std::string store_id_text(const StoreId& store);

}  // namespace wvds::keystore
