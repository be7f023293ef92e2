#include "faults/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace wvds::test {
namespace {

constexpr size_t kMostKeys = 8;
constexpr size_t kFewestKeys = 3;

const Octets kPlaintext = {'w', 'h', 'a', 't', ' ', 'i', 's', ' ', 's', 'a', 'f', 'e'};

}  // namespace

size_t NonceHash::operator()(const Nonce& nonce) const {
  uint64_t counter = 0;
  uint32_t fixed = 0;
  std::memcpy(&fixed, nonce.bytes.data(), sizeof fixed);
  std::memcpy(&counter, nonce.bytes.data() + sizeof fixed, sizeof counter);
  return std::hash<uint64_t>{}((counter ^ (uint64_t{fixed} << 32) ^ nonce.key) * 0x9E3779B97F4A7C15u);
}

void LoadClient::live(const std::string& address) {
  const Connection connection(address);
  if (connection.status() != WVDS_SUCCESS) return;  // it was killed before
  while (work(connection.get()) && !::testing::Test::HasFailure()) continue;
}

bool LoadClient::done(wvds_status status, const char* what, uint32_t key) {
  if (status == WVDS_SUCCESS) {
    ++acknowledged_;
    under_way_.reset();
    return true;
  }
  EXPECT_EQ(status, WVDS_DISCONNECTED) << what << " of key " << key << ": " << wvds_status_name(status);
  return false;
}

bool LoadClient::work(wvds_session* session) {
  const uint64_t choice = random_() % 20;
  if (keys_.size() < kFewestKeys || (choice == 0 && keys_.size() < kMostKeys)) return make(session);
  if (choice == 1) return make_for_session(session);
  const uint32_t key = std::next(keys_.begin(), static_cast<ptrdiff_t>(random_() % keys_.size()))->first;
  if (choice == 2) return keys_.at(key).versions < WVDS_MAX_KEY_VERSIONS ? renew(session, key) : remove(session, key);
  if (choice == 3) return remove(session, key);
  if (choice < 8) return encrypt_some(session, shared_key_, nullptr);
  return use(session, key);
}

bool LoadClient::make(wvds_session* session) {
  HeldKey held;
  held.algorithm = random_() % 4 == 0 ? WVDS_MLDSA_44 : WVDS_AES_256_GCM;
  uint32_t key = 0;
  under_way_ = {Step::kGenerate, 0};
  if (!done(generate(session, key, held.algorithm), "generation", key)) return false;
  issued_.push_back(key);
  keys_[key] = held;
  return use(session, key);
}

bool LoadClient::make_for_session(wvds_session* session) {
  uint32_t key = 0;
  if (!done(generate(session, key, WVDS_AES_256_GCM, WVDS_LIFETIME_SESSION), "generation", key)) return false;
  issued_.push_back(key);
  return encrypt_some(session, key, nullptr);
}

bool LoadClient::renew(wvds_session* session, uint32_t key) {
  under_way_ = {Step::kRotate, key};
  if (!done(rotate(session, key), "rotation", key)) return false;
  HeldKey& held = keys_.at(key);
  ++held.newest;
  ++held.versions;
  held.uses = 0;
  return use(session, key);
}

bool LoadClient::remove(wvds_session* session, uint32_t key) {
  under_way_ = {Step::kDelete, key};
  if (!done(wvds_key_delete(session, key, 0), "deletion", key)) return false;
  keys_.erase(key);
  deleted_.insert(key);
  return true;
}

bool LoadClient::use(wvds_session* session, uint32_t key) {
  HeldKey& held = keys_.at(key);
  if (held.algorithm == WVDS_AES_256_GCM) return encrypt_some(session, key, &held) && open_a_sample(session, key, held);
  return sign_something(session, key, held);
}

bool LoadClient::encrypt_some(wvds_session* session, uint32_t key, HeldKey* held) {
  Octets sealed;
  for (uint64_t left = 1 + random_() % 16; left > 0; --left) {
    if (!done(encrypt(session, key, kPlaintext, sealed), "encryption", key)) return false;
    Nonce nonce{key, {}};
    std::copy_n(sealed.begin(), nonce.bytes.size(), nonce.bytes.begin());
    fresh_.push_back(nonce);
    if (held != nullptr) ++held->uses;
  }
  if (held != nullptr && held->samples.size() < held->versions) held->samples.push_back(sealed);
  return true;
}

bool LoadClient::open_a_sample(wvds_session* session, uint32_t key, const HeldKey& held) {
  Octets opened;
  const Octets& sample = held.samples[random_() % held.samples.size()];
  if (!done(decrypt(session, key, sample, opened), "decryption", key)) return false;
  EXPECT_EQ(opened, kPlaintext);
  return true;
}

bool LoadClient::sign_something(wvds_session* session, uint32_t key, HeldKey& held) {
  Octets signature;
  if (!done(sign(session, key, kPlaintext, signature), "signature", key)) return false;
  if (held.samples.size() < held.versions) held.samples.push_back(signature);
  return done(verify(session, key, kPlaintext, signature), "verification", key);
}

bool LoadClient::may_be_gone(uint32_t key) const {
  return deleted_.contains(key) || (under_way_ && under_way_->step == Step::kDelete && under_way_->key == key);
}

std::set<uint32_t> LoadClient::settle(wvds_session* session, const std::set<uint32_t>& listed) {
  settle_change(session, listed);
  std::set<uint32_t> known;
  for (auto& [key, held] : keys_) {
    EXPECT_TRUE(listed.contains(key)) << "key " << key << " is gone";
    compare(session, key, held);
    known.insert(key);
  }
  for (const uint32_t key : deleted_) EXPECT_FALSE(listed.contains(key)) << "key " << key << " came back";
  return known;
}

// settle_change: whoever was not told how a rotation or a deletion ended finds it done or not.
void LoadClient::settle_change(wvds_session* session, const std::set<uint32_t>& listed) {
  const auto change = std::exchange(under_way_, std::nullopt);
  if (!change || !keys_.contains(change->key)) return;
  if (change->step == Step::kDelete && !listed.contains(change->key)) {
    keys_.erase(change->key);
    deleted_.insert(change->key);
    return;
  }
  wvds_key_details details{};
  HeldKey& held = keys_.at(change->key);
  if (change->step != Step::kRotate || wvds_key_info(session, &details, change->key) != WVDS_SUCCESS) return;
  if (details.versions[0].number == held.newest) return;
  EXPECT_EQ(details.versions[0].number, held.newest + 1);
  ++held.newest;
  ++held.versions;
  held.uses = 0;
}

void LoadClient::compare(wvds_session* session, uint32_t key, HeldKey& held) {
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(session, &details, key), WVDS_SUCCESS) << "key " << key;
  EXPECT_EQ(details.num_versions, held.versions) << "key " << key;
  EXPECT_EQ(details.versions[0].number, held.newest) << "key " << key;
  EXPECT_GE(details.versions[0].uses, held.uses) << "uses of key " << key << " were forgotten";
  for (const Octets& sample : held.samples) {
    Octets opened;
    const bool is_aes = held.algorithm == WVDS_AES_256_GCM;
    const wvds_status status =
        is_aes ? decrypt(session, key, sample, opened) : verify(session, key, kPlaintext, sample);
    EXPECT_EQ(status, WVDS_SUCCESS) << "key " << key << ": " << wvds_status_name(status);
    EXPECT_TRUE(!is_aes || opened == kPlaintext) << "key " << key;
  }
  EXPECT_TRUE(use(session, key)) << "key " << key;
}

}  // namespace wvds::test
