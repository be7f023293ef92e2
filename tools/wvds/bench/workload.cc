#include "tools/wvds/bench/workload.h"

#include <cstring>

namespace wvds::tool {
namespace {

class Ping : public Workload {
 public:
  wvds_status prepare(wvds_session*) override { return WVDS_SUCCESS; }
  wvds_status once(wvds_session* session) override { return wvds_ping(session); }
  wvds_status begin(wvds_session* session, wvds_call** call) override {
    return begin_with(session, call, WVDS_OP_PING, {});
  }
};

constexpr size_t kMessageBytes = 1024;
constexpr uint8_t kFilling = 0x5A;

}  // namespace

wvds_status make_session_key(wvds_session* session, uint32_t* out_key, wvds_algorithm algorithm, uint32_t usages) {
  wvds_key_template key{};
  key.algorithm = algorithm;
  key.lifetime = WVDS_LIFETIME_SESSION;
  key.usages = usages;
  key.flags = algorithm == WVDS_AES_256_GCM ? WVDS_KEY_REPLAY_WINDOW_OFF : 0;
  return wvds_key_generate(session, out_key, nullptr, nullptr, 0, &key);
}

std::array<uint8_t, 4> id_bytes(uint32_t id) {
  return {static_cast<uint8_t>(id), static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id >> 16),
          static_cast<uint8_t>(id >> 24)};
}

wvds_status begin_with(wvds_session* session, wvds_call** call, wvds_operation operation, ByteView payload) {
  uint8_t* place = nullptr;
  const wvds_status status = wvds_request_begin(session, call, &place, operation, payload.size());
  if (status == WVDS_SUCCESS && !payload.empty()) std::memcpy(place, payload.data(), payload.size());
  return status;
}

Buffer filled(size_t bytes) {
  Buffer buffer(bytes);
  std::memset(buffer.data(), kFilling, bytes);
  buffer.set_size(bytes);
  return buffer;
}

std::unique_ptr<Workload> ping_workload() { return std::make_unique<Ping>(); }

std::vector<Job> all_jobs() {
  std::vector<Job> jobs{{"ping", 0, ping_workload}};
  // the largest request is a little less than 64 KB
  for (const size_t bytes : {size_t{64}, size_t{1024}, size_t{16384}, size_t{WVDS_AES_MAX_SIZE}}) {
    jobs.push_back({"aes-encrypt", bytes, [bytes] { return encrypt_workload(bytes); }});
  }
  for (const size_t bytes : {size_t{64}, size_t{1024}, size_t{16384}, size_t{WVDS_AES_MAX_SIZE}}) {
    jobs.push_back({"aes-decrypt", bytes, [bytes] { return decrypt_workload(bytes); }});
  }
  jobs.push_back({"mldsa-sign", kMessageBytes, [] { return sign_workload(kMessageBytes); }});
  jobs.push_back({"mldsa-verify", kMessageBytes, [] { return verify_workload(kMessageBytes); }});
  jobs.push_back({"ecdsa-sign", kMessageBytes, [] { return ecdsa_sign_workload(kMessageBytes); }});
  jobs.push_back({"ecdsa-verify", kMessageBytes, [] { return ecdsa_verify_workload(kMessageBytes); }});
  jobs.push_back({"mlkem-keygen", 0, keygen_workload});
  jobs.push_back({"mlkem-encaps", 0, encaps_workload});
  jobs.push_back({"mlkem-decaps", 0, decaps_workload});
  return jobs;
}

}  // namespace wvds::tool
