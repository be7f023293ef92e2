#include "ossl_provider/delegate.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/handle.h"

namespace wvds::ossl_provider {
namespace {

using MdHandle = Handle<EVP_MD, EVP_MD_free>;
using PkeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using PkeyCtxHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using MdCtxHandle = std::unique_ptr<EVP_MD_CTX, MdContextRelease>;

std::unexpected<Error> no_provider(const std::string& what) {
  return fail(Status::kCryptoError, "the program's own providers don't " + what +
                                        ": load \"default\", or \"fips\" and \"base\", beside this one");
}

// OpenSSL takes no null pointer even for no bytes, and writes to none.
OSSL_PARAM octets(const char* name, OctetsView value) {
  static constexpr uint8_t kNothing = 0;
  const uint8_t* data = value.empty() ? &kNothing : value.data();
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(data), value.size());
}

MdHandle fetch(const Own& own, const char* name) {
  return MdHandle(EVP_MD_fetch(own.context, name, own.properties.c_str()));
}

const HashType* type_of(const EVP_MD* md) {
  const auto all = hash_types();
  const auto found =
      std::ranges::find_if(all, [&](const HashType& type) { return md != nullptr && EVP_MD_is_a(md, type.name) == 1; });
  return found == all.end() ? nullptr : &*found;
}

// public_pkey gives a public key to the program's own providers.
Result<PkeyHandle> public_pkey(const Own& own, const KeyType& type, OctetsView public_key) {
  std::array<OSSL_PARAM, 3> params{octets(OSSL_PKEY_PARAM_PUB_KEY, public_key), OSSL_PARAM_construct_end(),
                                   OSSL_PARAM_construct_end()};
  if (type.is_ec()) {
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(type.group), 0);
  }
  const PkeyCtxHandle maker(EVP_PKEY_CTX_new_from_name(own.context, type.name, own.properties.c_str()));
  EVP_PKEY* key = nullptr;
  if (!maker || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, params.data()) != 1) {
    return no_provider(std::string("take this public key of ") + type.name);
  }
  return PkeyHandle(key);
}

Result<> verdict(int answer) {
  if (answer == 1) return {};
  return fail(Status::kSignatureInvalid, "the signature is not valid");
}

}  // namespace

void MdContextRelease::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

// A name may stand in a query once, so a caller's query for a provider (this one) gives way.
std::string own_properties(const char* properties, bool fips) {
  std::string query = "provider!=wvds";
  const std::string_view callers = properties == nullptr ? "" : properties;
  if (fips) return query + ",fips=yes";
  if (!callers.empty() && callers.find("provider") == callers.npos) query.append(",").append(callers);
  return query;
}

const HashType* hash_named(const Own& own, const char* name) { return type_of(fetch(own, name).get()); }

Result<Digest> Digest::start(const Own& own, const char* name) {
  const MdHandle md = fetch(own, name);
  if (!md) return no_provider(std::string("hash with ") + name);
  const HashType* type = type_of(md.get());
  if (type == nullptr) {
    return fail(Status::kUnsupported, std::string("the crypto service does not sign with ") + name +
                                          ", only with SHA-256, SHA-384 and SHA-512");
  }
  Context context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex2(context.get(), md.get(), nullptr) != 1)
    return no_provider(std::string("hash with ") + name);
  return Digest(std::move(context), *type);
}

Result<Digest> Digest::copy() const {
  Context other(EVP_MD_CTX_new());
  if (!other || EVP_MD_CTX_copy_ex(other.get(), context_.get()) != 1)
    return fail(Status::kCryptoError, "a digest could not be copied");
  return Digest(std::move(other), *type_);
}

Result<> Digest::update(OctetsView data) {
  if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1) return {};
  return fail(Status::kCryptoError, "hashing failed");
}

Result<Octets> Digest::finish() {
  Octets digest(type_->size);
  unsigned length = 0;
  if (EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1 && length == digest.size()) return digest;
  return fail(Status::kCryptoError, "hashing failed");
}

Result<> verify_message(const Own& own, const KeyType& type, OctetsView public_key, OctetsView signature,
                        OctetsView message, OctetsView context, bool is_mu) {
  WVDS_ASSIGN(key, public_pkey(own, type, public_key));
  int mu = is_mu ? 1 : 0;
  const std::array params{octets(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, context),
                          OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_MU, &mu), OSSL_PARAM_construct_end()};
  const MdCtxHandle verifier(EVP_MD_CTX_new());
  if (!verifier || EVP_DigestVerifyInit_ex(verifier.get(), nullptr, nullptr, own.context, own.properties.c_str(),
                                           key.get(), params.data()) != 1) {
    return no_provider(std::string("verify ") + type.name);
  }
  return verdict(EVP_DigestVerify(verifier.get(), signature.data(), signature.size(), message.data(), message.size()));
}

Result<> verify_digest(const Own& own, const KeyType& type, OctetsView public_key, OctetsView signature,
                       OctetsView digest, const HashType* hash) {
  WVDS_ASSIGN(key, public_pkey(own, type, public_key));
  std::array<OSSL_PARAM, 2> params{OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (hash != nullptr)
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(hash->name), 0);
  const PkeyCtxHandle verifier(EVP_PKEY_CTX_new_from_pkey(own.context, key.get(), own.properties.c_str()));
  if (!verifier || EVP_PKEY_verify_init_ex(verifier.get(), params.data()) != 1)
    return no_provider(std::string("verify with ") + type.name);
  return verdict(EVP_PKEY_verify(verifier.get(), signature.data(), signature.size(), digest.data(), digest.size()));
}

}  // namespace wvds::ossl_provider
