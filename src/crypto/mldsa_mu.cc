#include "crypto/mldsa_mu.h"

#include <utility>

#include "crypto/fetched.h"
#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

// The first byte of what is hashed says that the message follows as it is (FIPS 204, algorithm 2, line 10).
constexpr std::byte kPureMlDsa{0};
constexpr size_t kTrSize = 64;

// Shake256 is an extendable-output hash in progress.
class Shake256 {
 public:
  static Result<Shake256> start(const Library& library) {
    const EVP_MD* md = library.fetched().shake256.get();
    if (md == nullptr) return fail(Status::kUnsupported, "no provider has SHAKE256");
    MdCtxHandle context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex2(context.get(), md, nullptr) != 1) return failure();
    return Shake256(std::move(context));
  }

  Result<> absorb(Bytes bytes) {
    if (EVP_DigestUpdate(context_.get(), data_of(bytes), bytes.size()) != 1) return failure();
    return {};
  }

  Result<> finish(MutableBytes out) {
    if (EVP_DigestFinalXOF(context_.get(), data_of(out), out.size()) != 1) return failure();
    return {};
  }

 private:
  explicit Shake256(MdCtxHandle context) : context_(std::move(context)) {}
  static std::unexpected<Error> failure() { return openssl_failure(Status::kCryptoError, "SHAKE256 failed"); }

  MdCtxHandle context_;
};

class OpensslMlDsaMu : public MlDsaMu {
 public:
  explicit OpensslMlDsaMu(Shake256 hash) : hash_(std::move(hash)) {}
  Result<> update(Bytes piece) override { return hash_.absorb(piece); }
  Result<Value> finish() override {
    Value mu{};
    WVDS_TRY(hash_.finish(mu));
    return mu;
  }

 private:
  Shake256 hash_;
};

Result<std::array<std::byte, kTrSize>> hash_of_key(const Library& library, Bytes public_key) {
  std::array<std::byte, kTrSize> tr{};
  WVDS_ASSIGN(hash, Shake256::start(library));
  WVDS_TRY(hash.absorb(public_key));
  WVDS_TRY(hash.finish(tr));
  return tr;
}

Result<> check_inputs(Algorithm algorithm, Bytes public_key, Bytes context) {
  if (!is_ml_dsa(algorithm)) return fail(Status::kWrongKeyType, "mu: not an algorithm of ML-DSA");
  if (public_key.size() != algorithm_info(algorithm)->public_key) {
    return fail(Status::kInvalidPayload, "mu: the public key has a wrong length");
  }
  if (context.size() > kMaxContextSize) return fail(Status::kInvalidPayload, "mu: the context is over 255 bytes");
  return {};
}

}  // namespace

Result<std::unique_ptr<MlDsaMu>> MlDsaMu::start(const Library& library, Algorithm algorithm, Bytes public_key,
                                                Bytes context) {
  WVDS_TRY(check_inputs(algorithm, public_key, context));
  WVDS_ASSIGN(tr, hash_of_key(library, public_key));
  WVDS_ASSIGN(hash, Shake256::start(library));
  WVDS_TRY(hash.absorb(tr));
  WVDS_TRY(hash.absorb(std::array{kPureMlDsa, static_cast<std::byte>(context.size())}));
  WVDS_TRY(hash.absorb(context));
  return std::make_unique<OpensslMlDsaMu>(std::move(hash));
}

}  // namespace wvds::crypto
