#include "crypto/message_digest.h"

#include <string>
#include <utility>

#include "crypto/fetched.h"
#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

const EVP_MD* md_of(const Fetched& fetched, Hash hash) {
  if (hash == Hash::kSha256) return fetched.sha256.get();
  return hash == Hash::kSha384 ? fetched.sha384.get() : fetched.sha512.get();
}

class OpensslMessageDigest : public MessageDigest {
 public:
  OpensslMessageDigest(MdCtxHandle context, Hash hash) : context_(std::move(context)), hash_(hash) {}

  Result<> update(Bytes piece) override {
    if (EVP_DigestUpdate(context_.get(), data_of(piece), piece.size()) != 1) return failure();
    return {};
  }

  Result<Value> finish() override {
    Value out;
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), data_of(MutableBytes(out.bytes)), &size) != 1 || size != hash_size(hash_))
      return failure();
    out.size = size;
    return out;
  }

 private:
  std::unexpected<Error> failure() const {
    return openssl_failure(Status::kCryptoError, std::string(hash_name(hash_)) + " failed");
  }

  MdCtxHandle context_;
  Hash hash_;
};

}  // namespace

Result<std::unique_ptr<MessageDigest>> MessageDigest::start(const Library& library, Hash hash) {
  if (hash_size(hash) == 0) return fail(Status::kInvalidPayload, "no hash");
  const EVP_MD* md = md_of(library.fetched(), hash);
  if (md == nullptr) return fail(Status::kUnsupported, std::string("no provider has ") + hash_name(hash));
  MdCtxHandle context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex2(context.get(), md, nullptr) != 1)
    return openssl_failure(Status::kCryptoError, std::string(hash_name(hash)) + " failed");
  return std::make_unique<OpensslMessageDigest>(std::move(context), hash);
}

}  // namespace wvds::crypto
