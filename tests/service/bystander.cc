#include "service/bystander.h"

#include <gtest/gtest.h>

#include <vector>

namespace wvds::test {

Bystander::Bystander(const Daemon& daemon) : connection_(daemon) {
  EXPECT_EQ(connection_.status(), WVDS_SUCCESS);
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  EXPECT_EQ(wvds_key_generate(connection_.get(), &key_, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
}

void Bystander::check() {
  const std::vector<uint8_t> plaintext(1000, ++rounds_);
  std::vector<uint8_t> sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(1000));
  std::vector<uint8_t> opened(1000);
  size_t length = 0;
  ASSERT_EQ(wvds_aes_encrypt(connection_.get(), sealed.data(), &length, sealed.size(), key_, plaintext.data(),
                             plaintext.size(), nullptr, 0),
            WVDS_SUCCESS);
  ASSERT_EQ(wvds_aes_decrypt(connection_.get(), opened.data(), &length, opened.size(), key_, sealed.data(),
                             sealed.size(), nullptr, 0),
            WVDS_SUCCESS);
  ASSERT_EQ(opened, plaintext);
}

uint32_t Bystander::sessions() {
  wvds_service_state state{};
  EXPECT_EQ(wvds_status_get(connection_.get(), &state), WVDS_SUCCESS);
  return state.num_sessions;
}

}  // namespace wvds::test
