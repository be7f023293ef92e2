// Keys and the library used by several threads at once. Also run under ThreadSanitizer.

#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/mldsa.h"
#include "crypto/mlkem.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 25;

// in_threads runs `work` in kThreads threads, kRounds times each, and counts what did not succeed.
int failures_in_threads(const std::function<bool(int thread)>& work) {
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < kRounds; ++round) failures += work(thread) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

class ManyThreads : public LibraryTest {};
WVDS_IN_BOTH_MODES(ManyThreads);

TEST_P(ManyThreads, SignAndVerifyWithOneKey) {
  const auto key = MlDsaPrivateKey::from_seed(library(), Algorithm::kMlDsa44, pattern(kMlDsaSeedSize));
  ASSERT_TRUE(key) << why(key);
  const auto round = [&](int thread) {
    const Octets message = pattern(100, static_cast<unsigned>(thread));
    const Octets context = pattern(static_cast<size_t>(thread));  // each thread its own: contexts must not mix
    const MlDsaOptions options{.context = context};
    Octets signature(algorithm_info(Algorithm::kMlDsa44)->signature);
    return (*key)->sign(options, UntrustedBytes(Bytes(message)), signature) &&
           (*key)->verify(options, UntrustedBytes(Bytes(message)), signature);
  };
  EXPECT_EQ(failures_in_threads(round), 0);
}

TEST_P(ManyThreads, EncapsulateAndDecapsulateWithOneKey) {
  const auto key = MlKemPrivateKey::from_seed(library(), Algorithm::kMlKem768, pattern(kMlKemSeedSize));
  ASSERT_TRUE(key) << why(key);
  const auto round = [&](int) {
    Octets ciphertext(algorithm_info(Algorithm::kMlKem768)->kem_ciphertext);
    SharedSecret sent;
    SharedSecret received;
    return (*key)->encapsulate(ciphertext, sent) && (*key)->decapsulate(ciphertext, received) &&
           same(sent.expose(), received.expose());
  };
  EXPECT_EQ(failures_in_threads(round), 0);
}

TEST_P(ManyThreads, MakeKeysDrawRandomBytesAndDerive) {
  const auto round = [&](int) {
    LockedBytes seed;
    Octets random(32);
    Octets derived(32);
    return MlKemPrivateKey::generate(library(), Algorithm::kMlKem512, seed) && library().random(random) &&
           library().random_secret(random) && hkdf_sha256(library(), random, {}, {}, derived) &&
           library().provider_of("AES-256-GCM") == (GetParam() == FipsMode::kRequired ? "fips" : "default") &&
           sha256(library(), random);
  };
  EXPECT_EQ(failures_in_threads(round), 0);
}

TEST_P(ManyThreads, SealWithOneKeyAndASealerEach) {
  const Octets key = pattern(kAesKeySize);
  std::vector<std::unique_ptr<AeadSealer>> sealers;
  std::vector<std::vector<Nonce>> nonces(kThreads);
  for (int i = 0; i < kThreads; ++i)
    sealers.push_back(std::move(*AeadSealer::create(library(), key, NonceMode::kCounter)));
  const auto round = [&](int thread) {
    const auto mine = static_cast<size_t>(thread);
    const Octets plaintext = pattern(64);
    Octets ciphertext(64);
    Nonce nonce{};
    Tag tag{};
    if (!sealers[mine]->seal({}, UntrustedBytes(Bytes(plaintext)), ciphertext, nonce, tag)) return false;
    nonces[mine].push_back(nonce);
    return true;
  };
  EXPECT_EQ(failures_in_threads(round), 0);
  std::set<Nonce> all;
  for (const auto& of_thread : nonces) all.insert(of_thread.begin(), of_thread.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kThreads * kRounds));
}

}  // namespace
}  // namespace wvds::crypto
