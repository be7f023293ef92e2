#include "keystore/key_wrap.h"

#include "crypto/aead.h"

namespace wvds::keystore {

Result<> wrap_key(const crypto::Library& library, Bytes wrapping_key, Bytes key, std::vector<std::byte>& header) {
  if (key.size() != kAesKeySize) return fail(Status::kInvalidPayload, "only 32-byte keys are wrapped");
  WVDS_ASSIGN(sealer, crypto::AeadSealer::create(library, wrapping_key, crypto::NonceMode::kRandom));
  crypto::Nonce nonce{};
  crypto::Tag tag{};
  std::vector<std::byte> wrapped(kAesKeySize);
  WVDS_TRY(sealer->seal(UntrustedBytes(Bytes(header)), UntrustedBytes(key), wrapped, nonce, tag));
  header.insert(header.end(), nonce.begin(), nonce.end());
  header.insert(header.end(), wrapped.begin(), wrapped.end());
  header.insert(header.end(), tag.begin(), tag.end());
  return {};
}

Result<crypto::LockedBytes> unwrap_key(const crypto::Library& library, Bytes wrapping_key, Bytes header) {
  if (header.size() < kWrappedKeySize) return fail(Status::kInvalidPayload, "too short for a wrapped key");
  const Bytes authenticated = header.first(header.size() - kWrappedKeySize);
  Reader reader(header.subspan(authenticated.size()));
  crypto::Nonce nonce{};
  crypto::Tag tag{};
  WVDS_ASSIGN(key, crypto::LockedBytes::of_size(kAesKeySize));
  reader.copy(nonce);
  reader.copy(key.expose_for_writing());
  reader.copy(tag);
  WVDS_ASSIGN(opener, crypto::AeadOpener::create(library, wrapping_key));
  WVDS_TRY(opener->open(nonce, authenticated, key.expose(), tag, key.expose_for_writing()));
  return key;
}

}  // namespace wvds::keystore
