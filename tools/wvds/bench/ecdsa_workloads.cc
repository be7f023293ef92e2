// ECDSA-P256 with SHA-256.
#include <array>

#include "tools/wvds/bench/workload.h"

namespace wvds::tool {
namespace {

class EcdsaSign : public Signing {
 public:
  explicit EcdsaSign(size_t bytes) : Signing(WVDS_ECDSA_P256, bytes, WVDS_ECDSA_MAX_SIGNATURE_SIZE) {}

  wvds_status once(wvds_session* session) override {
    return wvds_ecdsa_sign(session, signature_.data(), signature_.size_out(), signature_.room(), key_, message_.data(),
                           message_.size(), WVDS_SHA256, 0);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    Buffer payload(6 + message_.size());
    payload.append(id_bytes(key_));
    payload.append(std::array<uint8_t, 2>{WVDS_SHA256, 0});
    payload.append(message_.view());
    return begin_with(session, call, WVDS_OP_ECDSA_SIGN, payload.view());
  }
};

class EcdsaVerify : public After<EcdsaSign> {
 public:
  using After::After;

  wvds_status once(wvds_session* session) override {
    const wvds_public_key key = wvds_public_key_by_id(key_);
    return wvds_ecdsa_verify(session, &key, signature_.data(), signature_.size(), message_.data(), message_.size(),
                             WVDS_SHA256, 0);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    Buffer payload(12 + signature_.size() + message_.size());
    payload.append(id_bytes(key_));  // behind it: no algorithm, hash, no flags, zero, no public key, signature length
    payload.append(std::array<uint8_t, 8>{0, WVDS_SHA256, 0, 0, 0, 0, static_cast<uint8_t>(signature_.size()), 0});
    payload.append(signature_.view());
    payload.append(message_.view());
    return begin_with(session, call, WVDS_OP_ECDSA_VERIFY, payload.view());
  }
};

}  // namespace

std::unique_ptr<Workload> ecdsa_sign_workload(size_t bytes) { return std::make_unique<EcdsaSign>(bytes); }
std::unique_ptr<Workload> ecdsa_verify_workload(size_t bytes) { return std::make_unique<EcdsaVerify>(bytes); }

}  // namespace wvds::tool
