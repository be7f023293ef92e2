#include "service/bystander.h"

#include <gtest/gtest.h>

#include <vector>

namespace wvds::test {

Bystander::Bystander(const Daemon& daemon) : connection_(daemon) {
  EXPECT_EQ(connection_.status(), WVDS_SUCCESS);
  key_ = make_key(connection_, WVDS_LIFETIME_SESSION);
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
