#include "l4re/selftest/openssl_aes.h"

#include <openssl/evp.h>

#include <array>

namespace wvds::test {

struct OpensslAes::State {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  std::array<unsigned char, 32> key{1};
  std::array<unsigned char, 12> nonce{};
  std::array<unsigned char, 16> tag{};
  std::array<unsigned char, 65536> plaintext{};
  std::array<unsigned char, 65536> ciphertext{};
};

OpensslAes::OpensslAes() : state_(std::make_unique<State>()) {
  EVP_EncryptInit_ex2(state_->context, state_->cipher, state_->key.data(), nullptr, nullptr);
}

OpensslAes::~OpensslAes() {
  EVP_CIPHER_CTX_free(state_->context);
  EVP_CIPHER_free(state_->cipher);
}

bool OpensslAes::encrypt(size_t size) {
  int length = 0;
  ++state_->nonce[0];
  return size <= state_->plaintext.size() &&
         EVP_EncryptInit_ex2(state_->context, nullptr, nullptr, state_->nonce.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(state_->context, state_->ciphertext.data(), &length, state_->plaintext.data(),
                           static_cast<int>(size)) == 1 &&
         EVP_EncryptFinal_ex(state_->context, state_->ciphertext.data(), &length) == 1 &&
         EVP_CIPHER_CTX_ctrl(state_->context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(state_->tag.size()),
                             state_->tag.data()) == 1;
}

}  // namespace wvds::test
