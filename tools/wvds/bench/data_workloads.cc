// AES-256-GCM and ML-DSA-65: operations on data.
#include <cstring>

#include "tools/wvds/bench/workload.h"

namespace wvds::tool {
namespace {

class Encrypt : public Workload {
 public:
  explicit Encrypt(size_t bytes) : plaintext_(filled(bytes)), sealed_(WVDS_AES_ENCRYPT_OUTPUT_SIZE(bytes)) {}

  wvds_status prepare(wvds_session* session) override {
    return make_session_key(session, &key_, WVDS_AES_256_GCM, WVDS_USAGE_ENCRYPT | WVDS_USAGE_DECRYPT);
  }
  wvds_status once(wvds_session* session) override {
    return wvds_aes_encrypt(session, sealed_.data(), sealed_.size_out(), sealed_.room(), key_, plaintext_.data(),
                            plaintext_.size(), nullptr, 0);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    uint8_t* place = nullptr;
    const wvds_status status = wvds_aes_encrypt_begin(session, call, &place, nullptr, key_, plaintext_.size(), 0);
    if (status == WVDS_SUCCESS) std::memcpy(place, plaintext_.data(), plaintext_.size());
    return status;
  }

 protected:
  uint32_t key_ = 0;
  Buffer plaintext_;
  Buffer sealed_;
};

class Decrypt : public After<Encrypt> {
 public:
  explicit Decrypt(size_t bytes) : After(bytes), opened_(bytes) {}

  wvds_status once(wvds_session* session) override {
    return wvds_aes_decrypt(session, opened_.data(), opened_.size_out(), opened_.room(), key_, sealed_.data(),
                            sealed_.size(), nullptr, 0);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    uint8_t* place = nullptr;
    const wvds_status status = wvds_aes_decrypt_begin(session, call, &place, nullptr, key_, sealed_.size(), 0);
    if (status == WVDS_SUCCESS) std::memcpy(place, sealed_.data(), sealed_.size());
    return status;
  }

 private:
  Buffer opened_;
};

class MlDsaSign : public Signing {
 public:
  explicit MlDsaSign(size_t bytes) : Signing(WVDS_MLDSA_65, bytes, WVDS_MLDSA_MAX_SIGNATURE_SIZE) {}

  wvds_status once(wvds_session* session) override {
    return wvds_mldsa_sign(session, signature_.data(), signature_.size_out(), signature_.room(), key_, message_.data(),
                           message_.size(), nullptr, 0, 0);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    uint8_t* place = nullptr;
    const wvds_status status = wvds_mldsa_sign_begin(session, call, &place, key_, message_.size(), nullptr, 0, 0);
    if (status == WVDS_SUCCESS) std::memcpy(place, message_.data(), message_.size());
    return status;
  }
};

class MlDsaVerify : public After<MlDsaSign> {
 public:
  using After::After;

  wvds_status once(wvds_session* session) override {
    const wvds_public_key key = wvds_public_key_by_id(key_);
    return wvds_mldsa_verify(session, &key, signature_.data(), signature_.size(), message_.data(), message_.size(),
                             nullptr, 0, 0);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    const wvds_public_key key = wvds_public_key_by_id(key_);
    uint8_t* place = nullptr;
    const wvds_status status = wvds_mldsa_verify_begin(session, call, &place, &key, signature_.data(),
                                                       signature_.size(), message_.size(), nullptr, 0, 0);
    if (status == WVDS_SUCCESS) std::memcpy(place, message_.data(), message_.size());
    return status;
  }
};

}  // namespace

std::unique_ptr<Workload> encrypt_workload(size_t bytes) { return std::make_unique<Encrypt>(bytes); }
std::unique_ptr<Workload> decrypt_workload(size_t bytes) { return std::make_unique<Decrypt>(bytes); }
std::unique_ptr<Workload> sign_workload(size_t bytes) { return std::make_unique<MlDsaSign>(bytes); }
std::unique_ptr<Workload> verify_workload(size_t bytes) { return std::make_unique<MlDsaVerify>(bytes); }

}  // namespace wvds::tool
