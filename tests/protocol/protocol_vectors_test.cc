// Computes the examples of docs/protocol.md that need cryptography: the AES-256-GCM message and the keys from a KEM.

#include <gtest/gtest.h>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "protocol/aes_messages.h"
#include "protocol/frame.h"
#include "protocol/testing/doc_page.h"
#include "protocol/testing/hex.h"

namespace wvds {
namespace {

using protocol::testing::Buffer;
using protocol::testing::copy_of;
using protocol::testing::hex;
using protocol::testing::repeated;
using protocol::testing::text;
using protocol::testing::to_hex;

class ProtocolVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = crypto::Library::load({.fips = crypto::FipsMode::kOff, .modules_dir = {}, .fips_config = {}});
    ASSERT_TRUE(loaded) << loaded.error().detail;
    library = std::move(*loaded);
  }

  static Buffer block(const std::string& name) {
    const auto blocks = protocol::testing::hex_blocks();
    const auto found = blocks.find(name);
    EXPECT_NE(found, blocks.end()) << name;
    return found == blocks.end() ? Buffer{} : hex(found->second);
  }

  // 00 01 02 ... 1F: the key and the shared secret of the page
  static Buffer counting() {
    Buffer bytes(32);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
    return bytes;
  }

  std::unique_ptr<crypto::Library> library;
};

TEST_F(ProtocolVectors, HaveAMessageThatOpensWithItsKey) {
  const Buffer area = block("AES_DECRYPT request");
  const auto frame = protocol::RequestFrame::decode(UntrustedBytes(Bytes(area)));
  ASSERT_TRUE(frame);
  const auto request = protocol::AesDecryptRequest::decode(frame->payload);
  ASSERT_TRUE(request);
  crypto::Nonce nonce;
  crypto::Tag tag;
  request->nonce.copy_to(nonce);
  request->tag.copy_to(tag);
  Buffer plaintext = copy_of(request->ciphertext);
  auto opener = crypto::AeadOpener::create(*library, counting());
  ASSERT_TRUE(opener);
  ASSERT_TRUE((*opener)->open(nonce, copy_of(request->aad), plaintext, tag, plaintext));
  EXPECT_EQ(plaintext, text("21.5 C"));
}

TEST_F(ProtocolVectors, HaveTheKeysThatAreDerivedFromTheirInputs) {
  const Buffer encapsulation_key = repeated(0xA1, 1184), ciphertext = repeated(0xB2, 1088), context = text("batch 1");
  const Buffer secret_bytes = counting();
  const SharedSecret secret(Bytes(secret_bytes).first<kSharedSecretSize>());
  for (const auto& [direction, name] : {std::pair{crypto::KemDirection::kToDecapsulator, "key from KEM result"},
                                        std::pair{crypto::KemDirection::kToEncapsulator, "key from KEM result back"}}) {
    const crypto::KemKeyInputs inputs{direction, Algorithm::kMlKem768, encapsulation_key, ciphertext, context};
    const auto key = crypto::key_from_kem(*library, secret, inputs);
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_EQ(to_hex(key->expose()), to_hex(block(name)));
  }
}

TEST_F(ProtocolVectors, HaveTheInfoThatTheKeysAreDerivedWith) {
  Buffer key(32);
  ASSERT_TRUE(crypto::hkdf_sha256(*library, counting(), as_bytes("WvdS-KEM-v1"), block("key from KEM info"), key));
  EXPECT_EQ(to_hex(key), to_hex(block("key from KEM result")));
}

}  // namespace
}  // namespace wvds
