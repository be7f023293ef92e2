// What somebody finds who takes an image of the running service's memory by force, as root. Memory that the service
// shares with clients is left out: what is in it is the clients' own, who sent it or asked for it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "support/daemon.h"

namespace wvds::test {
namespace {

using Octets = std::vector<uint8_t>;

constexpr size_t kNeedle = 16;  // half an AES-256 key is found as well as a whole one

Octets random_octets(size_t size) {
  std::random_device source;
  Octets out(size);
  std::generate(out.begin(), out.end(), [&] { return static_cast<uint8_t>(source()); });
  return out;
}

// Mapping is a line of /proc/PID/maps.
struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  std::string name;
};

// private_mappings are what the process can write and shares with nobody.
std::vector<Mapping> private_mappings(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
  std::vector<Mapping> out;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string range, rights, offset, device, inode;
    Mapping mapping;
    words >> range >> rights >> offset >> device >> inode >> mapping.name;
    mapping.begin = std::stoul(range, nullptr, 16);
    mapping.end = std::stoul(range.substr(range.find('-') + 1), nullptr, 16);
    if (rights.starts_with("rw") && rights[3] == 'p') out.push_back(mapping);
  }
  return out;
}

// Image is the private memory of a process at one instant: it is stopped meanwhile.
class Image {
 public:
  explicit Image(pid_t pid) {
    ::kill(pid, SIGSTOP);
    const platform::UniqueFd memory(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(memory);
    for (const Mapping& mapping : private_mappings(pid)) take(memory.get(), mapping);
    ::kill(pid, SIGCONT);
    EXPECT_GT(parts_.size(), 5u);
  }

  // Found is a place at which 16 octets in a row of a secret stand, taken at multiples of 16.
  struct Found {
    size_t needle;
    std::string place;
  };

  // find looks for many needles at once: one look at each octet of the image is long enough.
  std::vector<Found> find(const std::vector<Octets>& needles) const {
    const Needles wanted(needles);
    std::vector<Found> out;
    for (const Part& part : parts_) {
      for (size_t at = 0; at + kNeedle <= part.content.size(); ++at) {
        if (const auto needle = wanted.at(part.content.data() + at)) out.push_back({*needle, place(part, at)});
      }
    }
    return out;
  }

 private:
  struct Part {
    Mapping mapping;
    Octets content;
  };

  // Needles finds out by three octets that most places are none.
  class Needles {
   public:
    explicit Needles(const std::vector<Octets>& needles) : starts_(1u << 24) {
      for (size_t i = 0; i < needles.size(); ++i) {
        starts_[start(needles[i].data())] = true;
        numbers_.emplace(std::string(needles[i].begin(), needles[i].end()), i);
      }
    }

    std::optional<size_t> at(const uint8_t* octets) const {
      if (!starts_[start(octets)]) return std::nullopt;
      const auto found = numbers_.find(std::string(octets, octets + kNeedle));
      return found == numbers_.end() ? std::nullopt : std::optional(found->second);
    }

   private:
    static size_t start(const uint8_t* octets) { return octets[0] | octets[1] << 8 | octets[2] << 16; }

    std::vector<bool> starts_;
    std::map<std::string, size_t> numbers_;
  };

  void take(int memory, const Mapping& mapping) {
    Part part{mapping, Octets(mapping.end - mapping.begin)};
    const ssize_t size = ::pread(memory, part.content.data(), part.content.size(), static_cast<off_t>(mapping.begin));
    if (size <= 0) return;
    part.content.resize(static_cast<size_t>(size));
    parts_.push_back(std::move(part));
  }

  static std::string place(const Part& part, size_t at) {
    std::ostringstream out;
    out << std::hex << at << " of " << part.content.size() << " octets of "
        << (part.mapping.name.empty() ? "anonymous memory" : part.mapping.name);
    return out.str();
  }

  std::vector<Part> parts_;
};

// Watched is a secret that the test knows.
struct Watched {
  std::string name;
  Octets octets;
};

// private_seed_of gives K of FIPS 204, algorithm 6: of the secrets that are computed from the seed of an ML-DSA-65 key
// the one that an expanded key holds as it is.
Octets private_seed_of(Octets seed) {
  constexpr size_t kOffset = 32 + 64;
  seed.insert(seed.end(), {6, 5});
  std::array<uint8_t, 128> out{};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EXPECT_EQ(EVP_DigestInit_ex(hash.get(), EVP_shake256(), nullptr), 1);
  EXPECT_EQ(EVP_DigestUpdate(hash.get(), seed.data(), seed.size()), 1);
  EXPECT_EQ(EVP_DigestFinalXOF(hash.get(), out.data(), out.size()), 1);
  return {out.begin() + kOffset, out.end()};
}

class CoreImage : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "NOT RUN: only root can read the memory of another process";
    ASSERT_TRUE(daemon_.start());
    client_ = std::make_unique<Connection>(daemon_);
    ASSERT_EQ(client_->status(), WVDS_SUCCESS);
  }

  uint32_t import(wvds_algorithm algorithm, wvds_key_format format, const Octets& material, uint32_t usages = 0,
                  wvds_lifetime lifetime = WVDS_LIFETIME_PERSISTENT) {
    wvds_key_template wanted{};
    wanted.algorithm = algorithm;
    wanted.lifetime = lifetime;
    wanted.usages = usages;
    uint32_t key = 0;
    EXPECT_EQ(
        wvds_key_import(client_->get(), &key, nullptr, nullptr, 0, &wanted, format, material.data(), material.size()),
        WVDS_SUCCESS);
    return key;
  }

  void encrypt_and_decrypt(uint32_t key, const Octets& plaintext) {
    Octets sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext.size())), opened(plaintext.size() + 1);
    size_t sealed_size = 0, opened_size = 0;
    ASSERT_EQ(wvds_aes_encrypt(client_->get(), sealed.data(), &sealed_size, sealed.size(), key, plaintext.data(),
                               plaintext.size(), nullptr, 0),
              WVDS_SUCCESS);
    ASSERT_EQ(wvds_aes_decrypt(client_->get(), opened.data(), &opened_size, opened.size(), key, sealed.data(),
                               sealed_size, nullptr, 0),
              WVDS_SUCCESS);
    opened.resize(opened_size);
    EXPECT_EQ(opened, plaintext);
  }

  void sign(uint32_t key) {
    Octets signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
    size_t size = 0;
    const Octets message(100, 7);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(wvds_mldsa_sign(client_->get(), signature.data(), &size, signature.size(), key, message.data(),
                                message.size(), nullptr, 0, 0),
                WVDS_SUCCESS);
    }
  }

  void sign_ecdsa(uint32_t key) {
    Octets signature(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
    size_t size = 0;
    const Octets message(100, 7);
    EXPECT_EQ(wvds_ecdsa_sign(client_->get(), signature.data(), &size, signature.size(), key, message.data(),
                              message.size(), WVDS_SHA256, 0),
              WVDS_SUCCESS);
  }

  // shared_secret encapsulates to the key, decapsulates, and gives what both sides have then.
  Octets shared_secret(uint32_t key) {
    Octets ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE), ours(WVDS_MLKEM_SHARED_SECRET_SIZE), theirs(ours.size());
    size_t size = 0;
    const wvds_public_key to = wvds_public_key_by_id(key);
    EXPECT_EQ(wvds_mlkem_encaps(client_->get(), ours.data(), ciphertext.data(), &size, ciphertext.size(), &to),
              WVDS_SUCCESS);
    EXPECT_EQ(wvds_mlkem_decaps(client_->get(), theirs.data(), key, ciphertext.data(), size), WVDS_SUCCESS);
    EXPECT_EQ(ours, theirs);
    return ours;
  }

  // make_keys imports keys that the test knows, and uses each; `watched_` has their secrets then.
  void make_keys(wvds_lifetime lifetime = WVDS_LIFETIME_PERSISTENT) {
    const Octets aes = random_octets(32), mldsa = random_octets(32), mlkem = random_octets(64),
                 scalar = random_scalar();
    keys_ = {
        import(WVDS_AES_256_GCM, WVDS_KEY_FORMAT_RAW, aes, 0, lifetime),
        import(WVDS_MLDSA_65, WVDS_KEY_FORMAT_SEED, mldsa, 0, lifetime),
        import(WVDS_MLKEM_768, WVDS_KEY_FORMAT_SEED, mlkem, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW, lifetime),
        import(WVDS_ECDSA_P256, WVDS_KEY_FORMAT_RAW, scalar, 0, lifetime)};
    encrypt_and_decrypt(keys_[0], random_octets(100));
    sign(keys_[1]);
    shared_secret(keys_[2]);
    sign_ecdsa(keys_[3]);
    watched_ = {{"AES-256 key", aes},
                {"ML-DSA-65 seed", mldsa},
                {"ML-DSA-65 expanded key", private_seed_of(mldsa)},
                {"ML-KEM-768 seed d", Octets(mlkem.begin(), mlkem.begin() + 32)},
                {"ML-KEM-768 seed z", Octets(mlkem.begin() + 32, mlkem.end())},
                {"P-256 scalar", scalar},
                {"P-256 scalar as a number", Octets(scalar.rbegin(), scalar.rend())}};
  }

  // random_scalar is a P-256 private key with overwhelming probability: its first octets keep it below the order.
  static Octets random_scalar() {
    Octets out = random_octets(32);
    out[0] = 0x7f;
    return out;
  }

  // found gives the names of those secrets that the image has, and where the first of each stands.
  std::map<std::string, std::string> found() const {
    std::vector<Octets> needles;
    std::vector<std::string> names;
    for (const Watched& secret : watched_) {
      for (size_t at = 0; at + kNeedle <= secret.octets.size(); at += kNeedle) {
        const auto begin = secret.octets.begin() + static_cast<ptrdiff_t>(at);
        needles.emplace_back(begin, begin + kNeedle);
        names.push_back(secret.name);
      }
    }
    std::map<std::string, std::string> out;
    for (const Image::Found& one : Image(daemon_.pid()).find(needles)) out.emplace(names[one.needle], one.place);
    return out;
  }

  void expect_none(const std::string& when) const {
    for (const auto& [name, place] : found()) ADD_FAILURE() << name << " " << when << ": at " << place;
  }

  Daemon daemon_;
  std::unique_ptr<Connection> client_;
  std::vector<uint32_t> keys_;
  std::vector<Watched> watched_;
};

// What the other tests don't find is worth nothing unless this one finds it.
TEST_F(CoreImage, HasKeysThatAreThere) {
  make_keys();
  const auto there = found();
  for (const Watched& secret : watched_) EXPECT_TRUE(there.contains(secret.name)) << secret.name;
}

TEST_F(CoreImage, HasNoDeletedKey) {
  for (const wvds_lifetime lifetime : {WVDS_LIFETIME_PERSISTENT, WVDS_LIFETIME_VOLATILE, WVDS_LIFETIME_SESSION}) {
    make_keys(lifetime);
    for (const uint32_t key : keys_) EXPECT_EQ(wvds_key_delete(client_->get(), key, 0), WVDS_SUCCESS);
    reached([&] { return found().empty(); });  // a worker lets go of a key when it has answered
    expect_none("after it was deleted, lifetime " + std::to_string(lifetime));
  }
}

TEST_F(CoreImage, HasNoKeyOfASessionThatEnded) {
  make_keys(WVDS_LIFETIME_SESSION);
  client_ = std::make_unique<Connection>(daemon_);
  reached([&] { return found().empty(); });  // nothing tells when the last of a session is gone
  expect_none("after its session ended");
}

TEST_F(CoreImage, HasNoSecretOfAFinishedRequest) {
  make_keys();
  watched_.clear();
  for (const size_t size : {64u, 1024u, 4096u, 60000u}) {
    watched_.push_back({"plaintext of " + std::to_string(size), random_octets(size)});
    encrypt_and_decrypt(keys_[0], watched_.back().octets);
  }
  watched_.push_back({"shared secret", shared_secret(keys_[2])});
  watched_.push_back({"random octets", Octets(64)});
  ASSERT_EQ(wvds_random(client_->get(), watched_.back().octets.data(), 64), WVDS_SUCCESS);
  expect_none("after its request was answered");
}

}  // namespace
}  // namespace wvds::test
