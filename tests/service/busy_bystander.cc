#include "service/busy_bystander.h"

#include <chrono>
#include <thread>
#include <vector>

namespace wvds::test {
namespace {

using Text = std::vector<uint8_t>;

// A client that comes a thousand times a second, as they usually do, not one that never sleeps.
constexpr std::chrono::microseconds kPause{500};
constexpr uint64_t kRoundsForASignature = 8;

class Worker {
 public:
  explicit Worker(const Daemon& daemon) : connection_(daemon) {
    EXPECT_EQ(connection_.status(), WVDS_SUCCESS);
    aes_ = make_key(connection_, WVDS_LIFETIME_SESSION, WVDS_AES_256_GCM);
    mldsa_ = make_key(connection_, WVDS_LIFETIME_SESSION, WVDS_MLDSA_65);
  }

  void encrypt(uint8_t filling, LatencyHistogram& latencies) {
    const Text plaintext(1000, filling);
    Text sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(1000));
    Text opened(1000);
    size_t length = 0;
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_EQ(wvds_aes_encrypt(connection_.get(), sealed.data(), &length, sealed.size(), aes_, plaintext.data(),
                               plaintext.size(), nullptr, 0),
              WVDS_SUCCESS);
    latencies.add(std::chrono::steady_clock::now() - begun);
    ASSERT_EQ(wvds_aes_decrypt(connection_.get(), opened.data(), &length, opened.size(), aes_, sealed.data(),
                               sealed.size(), nullptr, 0),
              WVDS_SUCCESS);
    ASSERT_EQ(opened, plaintext);
    sealed[length / 2] ^= 1;
    ASSERT_EQ(wvds_aes_decrypt(connection_.get(), opened.data(), &length, opened.size(), aes_, sealed.data(),
                               sealed.size(), nullptr, 0),
              WVDS_DECRYPTION_FAILED);
  }

  void sign(uint8_t filling, LatencyHistogram& latencies) {
    const Text message(100, filling);
    Text signature(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65));
    size_t length = 0;
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_EQ(wvds_mldsa_sign(connection_.get(), signature.data(), &length, signature.size(), mldsa_, message.data(),
                              message.size(), nullptr, 0, 0),
              WVDS_SUCCESS);
    latencies.add(std::chrono::steady_clock::now() - begun);
    const wvds_public_key key = wvds_public_key_by_id(mldsa_);
    ASSERT_EQ(wvds_mldsa_verify(connection_.get(), &key, signature.data(), length, message.data(), message.size(),
                                nullptr, 0, 0),
              WVDS_SUCCESS);
  }

 private:
  Connection connection_;
  uint32_t aes_ = 0;
  uint32_t mldsa_ = 0;
};

}  // namespace

BusyBystander::BusyBystander(const Daemon& daemon) : process_([this, &daemon] { work(*shared_, daemon); }) {}

void BusyBystander::work(Shared& shared, const Daemon& daemon) {
  Worker worker(daemon);
  while (!shared.over && !testing::Test::HasFailure()) {
    const auto filling = static_cast<uint8_t>(shared.rounds);
    worker.encrypt(filling, shared.latencies[kEncrypt]);
    if (shared.rounds % kRoundsForASignature == 0) worker.sign(filling, shared.latencies[kSign]);
    if (!testing::Test::HasFailure()) ++shared.rounds;
    std::this_thread::sleep_for(kPause);
  }
  if (testing::Test::HasFailure()) shared.failed = true;
}

bool BusyBystander::serves(uint64_t rounds) {
  const uint64_t wanted = shared_->rounds + rounds;
  return reached([&] { return shared_->failed || shared_->rounds >= wanted; }) && !shared_->failed;
}

bool BusyBystander::finish() {
  shared_->over = true;
  return process_.wait_for_end() == 0;
}

}  // namespace wvds::test
