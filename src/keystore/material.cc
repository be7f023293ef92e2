#include "keystore/material.h"

#include "crypto/ecdsa.h"
#include "crypto/mldsa.h"
#include "crypto/mlkem.h"

namespace wvds::keystore {
namespace {

using crypto::EcdsaPrivateKey;
using crypto::EcdsaPublicKey;
using crypto::Library;
using crypto::LockedBytes;
using crypto::MlDsaPrivateKey;
using crypto::MlDsaPublicKey;
using crypto::MlKemPrivateKey;
using crypto::MlKemPublicKey;

std::vector<std::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Bytes public_key_of(const MlDsaPrivateKey& key) { return key.public_key(); }
Bytes public_key_of(const EcdsaPrivateKey& key) { return key.public_key(); }
Bytes public_key_of(const MlKemPrivateKey& key) { return key.encapsulation_key(); }

// making calls `make` until it succeeds, fails for good, or there is nothing left to give up.
template <class Make>
auto making(ExpandedKeys& expanded, Make make) {
  auto made = make();
  while (!made && made.error().status == Status::kLimitReached && expanded.drop_oldest()) made = make();
  return made;
}

template <class PrivateKey>
Result<Material> generated(const Library& library, ExpandedKeys& expanded, Algorithm algorithm) {
  Material out;
  WVDS_ASSIGN(key, making(expanded, [&] { return PrivateKey::generate(library, algorithm, out.secret); }));
  out.public_key = copy(public_key_of(*key));
  out.expanded_private = std::shared_ptr<const PrivateKey>(std::move(key));
  return out;
}

template <class PrivateKey>
Result<Material> from_secret(const Library& library, ExpandedKeys& expanded, Algorithm algorithm, Bytes secret) {
  Material out;
  WVDS_ASSIGN(key, making(expanded, [&] { return key_of_secret<PrivateKey>(library, algorithm, secret); }));
  WVDS_ASSIGN(copied, LockedBytes::copy_of(secret));
  out.secret = std::move(copied);
  out.public_key = copy(public_key_of(*key));
  out.expanded_private = std::shared_ptr<const PrivateKey>(std::move(key));
  return out;
}

Result<Material> aes_key(const Library& library) {
  Material out;
  WVDS_ASSIGN(secret, LockedBytes::of_size(kAesKeySize));
  WVDS_TRY(library.random_secret(secret.expose_for_writing()));
  out.secret = std::move(secret);
  return out;
}

Result<> check_supported(const Library& library, Algorithm algorithm) {
  if (library.has(algorithm)) return {};
  return fail(Status::kUnsupported, "no provider serves the algorithm");
}

}  // namespace

Result<Material> new_material(const Library& library, ExpandedKeys& expanded, Algorithm algorithm) {
  WVDS_TRY(check_supported(library, algorithm));
  if (is_ml_dsa(algorithm)) return generated<MlDsaPrivateKey>(library, expanded, algorithm);
  if (is_ml_kem(algorithm)) return generated<MlKemPrivateKey>(library, expanded, algorithm);
  if (is_ecdsa(algorithm)) return generated<EcdsaPrivateKey>(library, expanded, algorithm);
  return aes_key(library);
}

Result<Material> secret_material(const Library& library, ExpandedKeys& expanded, Algorithm algorithm, Bytes secret) {
  WVDS_TRY(check_supported(library, algorithm));
  if (secret.size() != algorithm_info(algorithm)->secret) {
    return fail(Status::kInvalidPayload, "a secret of the wrong length for its algorithm");
  }
  if (is_ml_dsa(algorithm)) return from_secret<MlDsaPrivateKey>(library, expanded, algorithm, secret);
  if (is_ml_kem(algorithm)) return from_secret<MlKemPrivateKey>(library, expanded, algorithm, secret);
  if (is_ecdsa(algorithm)) return from_secret<EcdsaPrivateKey>(library, expanded, algorithm, secret);
  Material out;
  WVDS_ASSIGN(key, LockedBytes::copy_of(secret));
  out.secret = std::move(key);
  return out;
}

Result<Material> token_material(const Library& library, TokenKeys* token, Algorithm algorithm) {
  WVDS_TRY(check_supported(library, algorithm));
  if (library.fips_required()) return fail(Status::kUnsupported, "with FIPS required no key is made inside a token");
  if (token == nullptr) return fail(Status::kUnsupported, "the store has no token that keys could be made in");
  if (!token->offers(algorithm)) {
    return fail(Status::kUnsupported, std::string("the token does not offer ") + algorithm_info(algorithm)->name +
                                          " (PKCS#11 3.2): keys can't be made inside it");
  }
  WVDS_ASSIGN(made, token->generate(library, algorithm, "wvds-key"));
  Material out;
  WVDS_ASSIGN(id, LockedBytes::copy_of(made.id));
  out.secret = std::move(id);
  out.public_key = std::move(made.public_key);
  out.in_token = true;
  return out;
}

Result<Material> public_material(const Library& library, Algorithm algorithm, Bytes public_key) {
  WVDS_TRY(check_supported(library, algorithm));
  if (is_ml_dsa(algorithm)) {
    WVDS_TRY(MlDsaPublicKey::import(library, algorithm, public_key));
  } else if (is_ml_kem(algorithm)) {
    WVDS_TRY(MlKemPublicKey::import(library, algorithm, public_key));
  } else if (is_ecdsa(algorithm)) {
    WVDS_TRY(EcdsaPublicKey::import(library, algorithm, public_key));
  } else {
    return fail(Status::kInvalidPayload, "the algorithm has no public keys");
  }
  Material out;
  out.public_key = copy(public_key);
  return out;
}

}  // namespace wvds::keystore
