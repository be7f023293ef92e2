#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "keystore/memory/memory_protector.h"
#include "keystore/token_keys.h"

namespace wvds::keystore::testing {

// SoftTokenKeys is a token in memory: it keeps the seeds.
class SoftTokenKeys final : public TokenKeys {
 public:
  bool offers(Algorithm algorithm) const override { return offers_ml_kem || !is_ml_kem(algorithm); }

  Result<Made> generate(const crypto::Library& library, Algorithm algorithm, const std::string&) override {
    if (broken) return fail(Status::kCryptoError, "the token is broken");
    Made out;
    out.id.resize(kTokenKeyIdSize);
    WVDS_TRY(library.random(out.id));
    crypto::LockedBytes seed;
    if (is_ml_dsa(algorithm)) {
      WVDS_ASSIGN(key, crypto::MlDsaPrivateKey::generate(library, algorithm, seed));
      out.public_key.assign(key->public_key().begin(), key->public_key().end());
    } else {
      WVDS_ASSIGN(key, crypto::MlKemPrivateKey::generate(library, algorithm, seed));
      out.public_key.assign(key->encapsulation_key().begin(), key->encapsulation_key().end());
    }
    seeds[out.id] = std::move(seed);
    return out;
  }

  Result<std::unique_ptr<crypto::MlDsaPrivateKey>> mldsa(const crypto::Library& library, Algorithm algorithm, Bytes id,
                                                         Bytes) override {
    return found<crypto::MlDsaPrivateKey>(library, algorithm, id);
  }
  Result<std::unique_ptr<crypto::MlKemPrivateKey>> mlkem(const crypto::Library& library, Algorithm algorithm, Bytes id,
                                                         Bytes) override {
    return found<crypto::MlKemPrivateKey>(library, algorithm, id);
  }

  Result<> destroy(Bytes id) override {
    if (broken) return fail(Status::kCryptoError, "the token is broken");
    seeds.erase({id.begin(), id.end()});
    return {};
  }

  std::map<std::vector<std::byte>, crypto::LockedBytes> seeds;
  bool offers_ml_kem = true;
  bool broken = false;

 private:
  template <class PrivateKey>
  Result<std::unique_ptr<PrivateKey>> found(const crypto::Library& library, Algorithm algorithm, Bytes id) {
    const auto seed = seeds.find({id.begin(), id.end()});
    if (broken || seed == seeds.end()) return fail(Status::kCryptoError, "the token does not have the key");
    return PrivateKey::from_seed(library, algorithm, seed->second.expose());
  }
};

// SoftTokenProtector is protector memory with such a token.
class SoftTokenProtector final : public Protector {
 public:
  explicit SoftTokenProtector(std::shared_ptr<SoftTokenKeys> keys) : keys_(std::move(keys)) {}

  Place place() const override { return memory_->place(); }
  Result<crypto::LockedBytes> create(const crypto::Library& library, std::vector<std::byte>& header) override {
    return memory_->create(library, header);
  }
  Result<crypto::LockedBytes> unlock(const crypto::Library& library, Bytes header) override {
    return memory_->unlock(library, header);
  }
  std::shared_ptr<TokenKeys> token_keys() override { return has_token ? keys_ : nullptr; }

  bool has_token = true;

 private:
  const std::unique_ptr<Protector> memory_ = make_memory_protector();
  const std::shared_ptr<SoftTokenKeys> keys_;
};

}  // namespace wvds::keystore::testing
