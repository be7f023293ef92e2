#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "ossl_provider/key_types.h"

struct evp_md_ctx_st;
struct evp_md_st;
struct ossl_lib_ctx_st;

// What the program's own providers do for this one: hashing, and verifying with public keys.
namespace wvds::ossl_provider {

// Own says where to look for implementations: a context with the program's providers, and what to ask of them.
struct Own {
  ossl_lib_ctx_st* context;
  std::string properties;  // from own_properties
};

// own_properties is the caller's query (null: none) without this provider; with `fips` only that counts.
std::string own_properties(const char* properties, bool fips);

struct MdContextRelease {
  void operator()(evp_md_ctx_st* context) const;
};

// Digest hashes what comes in pieces. Copies go on apart from each other. A failure leaves OpenSSL's reasons in the
// error queue and is kCryptoError.
class Digest {
 public:
  // start begins with the hash that `name` means: kUnsupported for one that the service does not sign with.
  static Result<Digest> start(const Own& own, const char* name);
  Result<Digest> copy() const;
  Result<> update(OctetsView data);

  // finish ends it; only once.
  Result<Octets> finish();

  const HashType& type() const { return *type_; }

 private:
  using Context = std::unique_ptr<evp_md_ctx_st, MdContextRelease>;
  Digest(Context context, const HashType& type) : context_(std::move(context)), type_(&type) {}

  Context context_;
  const HashType* type_;
};

// hash_named is the hash that `name` means; null for one that the service does not sign with, or that the program's
// providers don't have.
const HashType* hash_named(const Own& own, const char* name);

// verify_message is FIPS 204, algorithm 3; `is_mu`: the message is its mu. verify_digest is FIPS 186-5, section 6.4.2.
// kSignatureInvalid for a signature that is not valid; kCryptoError when it could not be checked.
Result<> verify_message(const Own& own, const KeyType& type, OctetsView public_key, OctetsView signature,
                        OctetsView message, OctetsView context, bool is_mu);
Result<> verify_digest(const Own& own, const KeyType& type, OctetsView public_key, OctetsView signature,
                       OctetsView digest, const HashType* hash);

}  // namespace wvds::ossl_provider
