#include <algorithm>

#include "vectors_e2e/vector_session.h"

namespace wvds::test {
namespace {

using AesVectors = VectorTest;

Octets joined(const Octets& nonce, const Octets& ciphertext, const Octets& tag) {
  Octets all = nonce;
  all.insert(all.end(), ciphertext.begin(), ciphertext.end());
  all.insert(all.end(), tag.begin(), tag.end());
  return all;
}

TEST_F(AesVectors, DecryptThroughTheService) {
  const Vectors<AeadCase> vectors = aes_256_gcm_vectors();
  Tally tally;
  for (const AeadCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    const KeyWish wish{Algorithm::kAes256Gcm, 0, WVDS_KEY_REPLAY_WINDOW_OFF, WVDS_KEY_FORMAT_RAW};
    const auto key = import_key(wish, test.key);
    ASSERT_NE(key, nullptr);
    const Octets sealed = joined(test.nonce, test.ciphertext, test.tag);
    Octets opened(test.ciphertext.size(), std::byte{0xee});
    size_t length = 99;
    const wvds_status status = wvds_aes_decrypt(session(), octets_of(opened), &length, opened.size(), key->id(),
                                                octets_of(sealed), sealed.size(), octets_of(test.aad), test.aad.size());
    EXPECT_EQ(status, test.valid ? WVDS_SUCCESS : WVDS_DECRYPTION_FAILED) << wvds_status_name(status);
    EXPECT_EQ(length, test.valid ? test.plaintext.size() : 0);
    // what was not authenticated is not handed out
    EXPECT_EQ(opened, test.valid ? test.plaintext : Octets(opened.size()));
    tally.ran();
  }
  tally.finish("AES-256-GCM decryption through the service", vectors.left_out, kAes256GcmCases);
}

}  // namespace
}  // namespace wvds::test
