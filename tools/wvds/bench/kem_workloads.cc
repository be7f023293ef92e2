// ML-KEM-768
#include <array>

#include "tools/wvds/bench/workload.h"

namespace wvds::tool {
namespace {

constexpr uint32_t kUsages = WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW;

class Keygen : public Workload {
 public:
  wvds_status prepare(wvds_session*) override { return WVDS_SUCCESS; }
  wvds_status once(wvds_session* session) override {
    uint32_t key = 0;
    return wvds_mlkem_keygen(session, &key, public_key_.data(), public_key_.size_out(), public_key_.room(),
                             WVDS_MLKEM_768, WVDS_LIFETIME_SESSION, 0);
  }
  wvds_status begin(wvds_session*, wvds_call**) override { return WVDS_UNSUPPORTED; }
  uint64_t requests_of_session(const wvds_capability_list& offer) const override {
    constexpr uint64_t kMost = 512;
    return std::min(kMost, wvds_left(&offer.session_keys));
  }

 private:
  Buffer public_key_{WVDS_MAX_PUBLIC_KEY_SIZE};
};

class Encaps : public Workload {
 public:
  wvds_status prepare(wvds_session* session) override {
    return make_session_key(session, &key_, WVDS_MLKEM_768, kUsages);
  }
  wvds_status once(wvds_session* session) override {
    const wvds_public_key key = wvds_public_key_by_id(key_);
    return wvds_mlkem_encaps(session, secret_.data(), ciphertext_.data(), ciphertext_.size_out(), ciphertext_.room(),
                             &key);
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    Buffer payload(8);  // key id, no algorithm, zero
    payload.append(id_bytes(key_));
    payload.set_size(payload.room());
    return begin_with(session, call, WVDS_OP_MLKEM_ENCAPS, payload.view());
  }

 protected:
  uint32_t key_ = 0;
  Buffer secret_{WVDS_MLKEM_SHARED_SECRET_SIZE};
  Buffer ciphertext_{WVDS_MLKEM_MAX_CIPHERTEXT_SIZE};
};

class Decaps : public After<Encaps> {
 public:
  wvds_status once(wvds_session* session) override {
    return wvds_mlkem_decaps(session, secret_.data(), key_, ciphertext_.data(), ciphertext_.size());
  }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    Buffer payload(4 + ciphertext_.size());
    payload.append(id_bytes(key_));
    payload.append(ciphertext_.view());
    return begin_with(session, call, WVDS_OP_MLKEM_DECAPS, payload.view());
  }
};

}  // namespace

std::unique_ptr<Workload> keygen_workload() { return std::make_unique<Keygen>(); }
std::unique_ptr<Workload> encaps_workload() { return std::make_unique<Encaps>(); }
std::unique_ptr<Workload> decaps_workload() { return std::make_unique<Decaps>(); }

}  // namespace wvds::tool
