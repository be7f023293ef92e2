#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "crypto/ecdsa.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"
#include "keystore/expanded_keys.h"
#include "keystore/format.h"
#include "keystore/token_keys.h"

namespace wvds::keystore {

// Material is what makes one version: the secret in its shortest form, the public key, and the expanded key where it
// was made on the way.
struct Material {
  crypto::LockedBytes secret;  // AES key, seed or scalar; empty for a public-only key
  std::vector<std::byte> public_key;
  std::shared_ptr<const void> expanded_private;  // null: not made yet
  bool in_token = false;                         // `secret` is then the id by which the token finds it

  SecretForm form() const {
    if (in_token) return SecretForm::kInToken;
    return secret.size() == 0 ? SecretForm::kPublicOnly : SecretForm::kSealed;
  }
};

// key_of_secret makes the expanded key of a seed, of ECDSA that of a scalar.
template <class PrivateKey>
Result<std::unique_ptr<PrivateKey>> key_of_secret(const crypto::Library& library, Algorithm algorithm, Bytes secret) {
  if constexpr (std::is_same_v<PrivateKey, crypto::EcdsaPrivateKey>) {
    return PrivateKey::from_scalar(library, algorithm, secret);
  } else {
    return PrivateKey::from_seed(library, algorithm, secret);
  }
}

// Each makes the material of one version of a key of `algorithm`; `expanded` gives up older keys where locked memory is
// short. kUnsupported when no provider serves the algorithm, kInvalidPayload for a secret or public key that is not
// one, kLimitReached without memory for secrets. token_material makes a key in a token: kUnsupported without one (null)
// that offers the algorithm, kCryptoError for a token that fails.
Result<Material> new_material(const crypto::Library& library, ExpandedKeys& expanded, Algorithm algorithm);
Result<Material> secret_material(const crypto::Library& library, ExpandedKeys& expanded, Algorithm algorithm,
                                 Bytes secret);
Result<Material> token_material(const crypto::Library& library, TokenKeys* token, Algorithm algorithm);
Result<Material> public_material(const crypto::Library& library, Algorithm algorithm, Bytes public_key);

}  // namespace wvds::keystore
