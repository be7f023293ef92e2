#include "keystore/blob.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "crypto/kdf.h"
#include "keystore/medium.h"

namespace wvds::keystore {
namespace {

constexpr std::string_view kBlobMagic = "WvdSKeys";
constexpr size_t kBlobHeadSize = 40;
constexpr size_t kBlobChecksumSize = 32;
constexpr size_t kAroundSize = kBlobHeadSize + kNonceSize + kTagSize + kBlobChecksumSize;

std::unexpected<Error> written_by_newer(std::string_view name, std::string_view why) {
  return fail(Status::kUnsupported, std::string(name) + ": " + std::string(why));
}

void write_head(Writer& writer, BlobKind kind, const StoreId& store, size_t clear, size_t secret) {
  writer.text(kBlobMagic);
  writer.u8(static_cast<uint8_t>(kind));
  writer.u8(kFormatVersion);
  writer.u16(0);
  writer.u32(static_cast<uint32_t>(clear));
  writer.u32(static_cast<uint32_t>(secret));
  writer.u32(0);
  writer.bytes(store);
}

const char* kind_name(uint8_t kind) {
  switch (static_cast<BlobKind>(kind)) {
    case BlobKind::kHeader: return "a store header";
    case BlobKind::kIndex: return "an index";
    case BlobKind::kKey: return "a key record";
    case BlobKind::kArchive: return "an archive of a whole store";
  }
  return "an unknown kind of file";
}

bool has_magic(Bytes blob) {
  return blob.size() >= kBlobMagic.size() && std::ranges::equal(blob.first(kBlobMagic.size()), as_bytes(kBlobMagic));
}

}  // namespace

std::unexpected<Error> refuse_blob(std::string_view name, std::string_view why) {
  return fail(Status::kStorageError, std::string(name) + ": " + std::string(why));
}

size_t blob_size(size_t clear, size_t secret) { return kAroundSize + clear + secret; }

Result<BlobView> split_blob(std::string_view name, BlobKind kind, Bytes blob) {
  if (!has_magic(blob)) return refuse_blob(name, "not a file of a key store");
  Reader reader(blob.subspan(kBlobMagic.size()));
  const uint8_t found_kind = reader.u8();
  const uint8_t version = reader.u8();
  const uint16_t zero1 = reader.u16();
  const uint32_t clear_size = reader.u32();
  const uint32_t sealed_size = reader.u32();
  const uint32_t zero2 = reader.u32();
  if (reader.failed()) return refuse_blob(name, "damaged: cut short");
  if (version != kFormatVersion) {
    return written_by_newer(name, "written in store format " + std::to_string(version) +
                                      "; this program reads format " + std::to_string(kFormatVersion) +
                                      ": use a program that knows it. Nothing was changed");
  }
  if (found_kind != static_cast<uint8_t>(kind))
    return refuse_blob(name, std::string("holds ") + kind_name(found_kind) + ", which its name does not say");
  if (zero1 != 0 || zero2 != 0)
    return written_by_newer(name, "uses a part of the format that this program does not know");
  if (uint64_t{clear_size} + sealed_size + kAroundSize != blob.size())
    return refuse_blob(name, "damaged: not as long as it says");
  BlobView view;
  view.kind = kind;
  view.clear = blob.subspan(kBlobHeadSize, clear_size);
  view.authenticated = blob.first(kBlobHeadSize + clear_size);
  reader.copy(view.store);
  Reader tail(blob.subspan(kBlobHeadSize + clear_size));
  tail.copy(view.nonce);
  view.sealed = blob.subspan(kBlobHeadSize + clear_size + kNonceSize, sealed_size);
  tail.bytes(sealed_size);
  tail.copy(view.tag);
  return view;
}

Result<BlobView> parse_blob(const crypto::Library& library, std::string_view name, BlobKind kind, Bytes blob) {
  if (!has_magic(blob)) return refuse_blob(name, "not a file of a key store");
  if (blob.size() < kAroundSize) return refuse_blob(name, "damaged: cut short");
  const Bytes content = blob.first(blob.size() - kBlobChecksumSize);
  WVDS_ASSIGN(checksum, crypto::sha256(library, content));
  if (!std::ranges::equal(checksum, blob.last(kBlobChecksumSize)))
    return refuse_blob(name, "damaged: its checksum does not match");
  return split_blob(name, kind, blob);
}

Result<std::vector<std::byte>> seal_blob(const crypto::Library& library, Bytes key, BlobKind kind, const StoreId& store,
                                         Bytes clear, Bytes secret) {
  if (blob_size(clear.size(), secret.size()) > (kind == BlobKind::kArchive ? kMaxArchiveSize : kMaxBlobSize))
    return fail(Status::kStorageError, "the store has too many keys");
  std::vector<std::byte> blob(blob_size(clear.size(), secret.size()));
  Writer writer(blob);
  write_head(writer, kind, store, clear.size(), secret.size());
  writer.bytes(clear);
  const MutableBytes nonce_area = writer.reserve(kNonceSize);
  const MutableBytes sealed = writer.reserve(secret.size());
  WVDS_ASSIGN(sealer, crypto::AeadSealer::create(library, key, crypto::NonceMode::kRandom));
  crypto::Nonce nonce{};
  crypto::Tag tag{};
  const Bytes authenticated = Bytes(blob).first(kBlobHeadSize + clear.size());
  WVDS_TRY(sealer->seal(UntrustedBytes(authenticated), UntrustedBytes(secret), sealed, nonce, tag));
  copy_bytes(nonce, nonce_area);
  writer.bytes(tag);
  WVDS_ASSIGN(checksum, crypto::sha256(library, Bytes(blob).first(blob.size() - kBlobChecksumSize)));
  writer.bytes(checksum);
  WVDS_TRY(writer.finish());
  return blob;
}

Result<crypto::LockedBytes> open_sealed(const crypto::Library& library, std::string_view name, Bytes key,
                                        const BlobView& blob) {
  WVDS_ASSIGN(secret, crypto::LockedBytes::of_size(blob.sealed.size()));
  WVDS_ASSIGN(opener, crypto::AeadOpener::create(library, key));
  auto opened = opener->open(blob.nonce, blob.authenticated, blob.sealed, blob.tag, secret.expose_for_writing());
  if (opened) return secret;
  if (opened.error().status != Status::kDecryptionFailed) return forward_error(opened);
  return refuse_blob(name, "not authentic: changed, renamed or copied from elsewhere");
}

Result<crypto::LockedBytes> derive_key(const crypto::Library& library, Bytes secret, const StoreId& store,
                                       Bytes label) {
  WVDS_ASSIGN(key, crypto::LockedBytes::of_size(kAesKeySize));
  WVDS_TRY(crypto::hkdf_sha256(library, secret, store, label, key.expose_for_writing()));
  return key;
}

std::string store_id_text(const StoreId& store) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : store)
    text += {kHex[std::to_integer<int>(byte >> 4)], kHex[std::to_integer<int>(byte & std::byte{15})]};
  return text;
}

}  // namespace wvds::keystore
