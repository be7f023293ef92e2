#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "bench/cases.h"
#include "crypto/aead.h"
#include "protocol/aes_messages.h"

namespace wvds::bench {

inline constexpr size_t kOverhead = kNonceSize + kTagSize;

// AesState is what an AES case's variants share. The service has the same key several times: its replay window takes
// each message once per key, and every variant gets the same messages.
struct AesState {
  size_t size = 0;
  std::array<std::byte, kAesKeySize> key{};
  std::unique_ptr<crypto::AeadSealer> sealer;
  std::unique_ptr<crypto::AeadOpener> opener;

  Result<> seal(Bytes plaintext, MutableBytes out) const {
    crypto::Nonce nonce;
    crypto::Tag tag;
    const MutableBytes ciphertext = out.subspan(kNonceSize, plaintext.size());
    WVDS_TRY(sealer->seal({}, UntrustedBytes(plaintext), ciphertext, nonce, tag));
    std::memcpy(out.data(), nonce.data(), nonce.size());
    std::memcpy(out.data() + kNonceSize + plaintext.size(), tag.data(), tag.size());
    return {};
  }

  Result<> open(Bytes sealed, MutableBytes out) const {
    crypto::Nonce nonce;
    crypto::Tag tag;
    std::memcpy(nonce.data(), sealed.data(), nonce.size());
    std::memcpy(tag.data(), sealed.data() + sealed.size() - tag.size(), tag.size());
    const Bytes ciphertext = sealed.subspan(kNonceSize, sealed.size() - kOverhead);
    return opener->open(nonce, {}, ciphertext, tag, out.first(ciphertext.size()));
  }

  // encrypt is the simple call of the C API.
  static Result<> encrypt(wvds_session* session, uint32_t key, Work& work) {
    size_t length = 0;
    return checked(wvds_aes_encrypt(session, receives(work.output()), &length, work.output().size(), key,
                                    sends(work.data()), work.data().size(), nullptr, 0),
                   "wvds_aes_encrypt");
  }

  // request makes a payload with `data_size` bytes after the fixed fields.
  static Result<Request> request(size_t data_size, size_t answer_size) {
    Request made;
    made.payload.resize(protocol::kAesRequestFixedSize + data_size);
    WVDS_TRY(protocol::encode_aes_request_head(0, 0, made.payload));
    made.data = {protocol::kAesRequestFixedSize, data_size};
    made.answer_size = answer_size;
    return made;
  }

  Result<Request> fresh_plaintext() const {
    WVDS_ASSIGN(made, request(size, size + kOverhead));
    fill_random(MutableBytes(made.payload).subspan(made.data.offset));
    return made;
  }

  Result<Request> fresh_sealed() const {
    WVDS_ASSIGN(made, request(size + kOverhead, size));
    std::vector<std::byte> plaintext(size);
    fill_random(plaintext);
    WVDS_TRY(seal(plaintext, MutableBytes(made.payload).subspan(made.data.offset)));
    return made;
  }
};

inline Result<std::shared_ptr<AesState>> make_aes_state(World& world, size_t size) {
  auto state = std::make_shared<AesState>();
  state->size = size;
  WVDS_TRY(world.library->random(state->key));
  WVDS_ASSIGN(sealer, crypto::AeadSealer::create(*world.library, state->key, crypto::NonceMode::kCounter));
  WVDS_ASSIGN(opener, crypto::AeadOpener::create(*world.library, state->key));
  state->sealer = std::move(sealer);
  state->opener = std::move(opener);
  return state;
}

inline Result<uint32_t> import_key(const CaseBuilder& builder, const AesState& state) {
  return import_secret(builder.handle(), Algorithm::kAes256Gcm, 0, state.key);
}

}  // namespace wvds::bench
