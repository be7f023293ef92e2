#include "crypto/ec_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <string_view>

#include "crypto/openssl_error.h"
#include "crypto/secure_heap.h"

namespace wvds::crypto {
namespace {

using BnHandle = Handle<BIGNUM, BN_clear_free>;
using BnCtxHandle = Handle<BN_CTX, BN_CTX_free>;
using GroupHandle = Handle<EC_GROUP, EC_GROUP_free>;
using PointHandle = Handle<EC_POINT, EC_POINT_clear_free>;

// What OpenSSL keeps of one private key in the secure heap while it makes one, rounded up; measured by
// PrivateKeys.FitTheSizesThatTheLibraryDocuments.
constexpr size_t kEcHeapUse = 4 << 10;

constexpr std::byte kUncompressed{0x04};  // SEC 1, section 2.3.3

struct Curve {
  const char* name;  // as OpenSSL reports it
  int id;
};

Curve curve_of(const AlgorithmInfo& info) {
  if (info.algorithm == Algorithm::kEcdsaP256) return {SN_X9_62_prime256v1, NID_X9_62_prime256v1};
  return {SN_secp384r1, NID_secp384r1};
}

std::unexpected<Error> failed(Status status, const AlgorithmInfo& info, const char* what) {
  return openssl_failure(status, std::string(info.name) + ": " + what);
}

OSSL_PARAM curve_param(const AlgorithmInfo& info) {
  return OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve_of(info).name), 0);
}

// native_order turns a big-endian number into one of this processor, as OpenSSL's parameters have them, and back.
void native_order(MutableBytes number) {
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(number);
}

OSSL_PARAM number_param(const char* name, MutableBytes native) {
  return OSSL_PARAM_construct_BN(name, data_of(native), native.size());
}

template <size_t N>
PkeyHandle import(const FetchedEcdsa& fetched, int selection, std::array<OSSL_PARAM, N> parameters) {
  const PkeyCtxHandle context(EVP_PKEY_CTX_dup(fetched.keys.get()));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters.data()) != 1) return nullptr;
  return PkeyHandle(key);
}

bool check(const Library& library, EVP_PKEY* key, int (*what)(EVP_PKEY_CTX*)) {
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_pkey(library.context(), key, nullptr));
  return context && what(context.get()) == 1;
}

// require_in_range is FIPS 186-5, appendix A.2: a scalar is between 1 and the order less 1.
Result<> require_in_range(const AlgorithmInfo& info, const EC_GROUP* group, const BIGNUM* scalar) {
  const BIGNUM* order = EC_GROUP_get0_order(group);
  if (order != nullptr && !BN_is_zero(scalar) && BN_cmp(scalar, order) < 0) return {};
  return failed(Status::kInvalidPayload, info, "the scalar is not between 1 and the curve's order");
}

// public_point computes the public key of a scalar: scalar times base point. OpenSSL's providers take a private key
// without its public one, but compute none.
Result<std::vector<std::byte>> public_point(const Library& library, const AlgorithmInfo& info, Bytes scalar) {
  const GroupHandle group(EC_GROUP_new_by_curve_name_ex(library.context(), nullptr, curve_of(info).id));
  const BnHandle number(BN_secure_new());
  const BnCtxHandle scratch(BN_CTX_secure_new_ex(library.context()));
  const PointHandle point(group ? EC_POINT_new(group.get()) : nullptr);
  if (!point || !number || !scratch ||
      BN_bin2bn(data_of(scalar), static_cast<int>(scalar.size()), number.get()) == nullptr) {
    return failed(Status::kCryptoError, info, "no memory to compute the public key");
  }
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  WVDS_TRY(require_in_range(info, group.get(), number.get()));
  std::vector<std::byte> out(info.public_key);
  if (EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, scratch.get()) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, data_of(MutableBytes(out)),
                         out.size(), scratch.get()) != out.size()) {
    return failed(Status::kCryptoError, info, "the public key could not be computed");
  }
  return out;
}

Result<PkeyHandle> key_of(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info, Bytes scalar,
                          Bytes point) {
  WVDS_ASSIGN(native, LockedBytes::copy_of(scalar));
  native_order(native.expose_for_writing());
  PkeyHandle key =
      import(fetched, EVP_PKEY_KEYPAIR,
             std::array{curve_param(info), number_param(OSSL_PKEY_PARAM_PRIV_KEY, native.expose_for_writing()),
                        octet_param(OSSL_PKEY_PARAM_PUB_KEY, point), OSSL_PARAM_construct_end()});
  if (!key) return failed(Status::kCryptoError, info, "the scalar was not accepted");
  if (!is_pair(library, key.get())) return failed(Status::kCryptoError, info, "the pairwise test failed");
  return key;
}

}  // namespace

Result<const FetchedEcdsa*> ecdsa_algorithm(const Library& library, Algorithm algorithm) {
  if (!is_ecdsa(algorithm) || algorithm_info(algorithm) == nullptr)
    return fail(Status::kWrongKeyType, "not an algorithm of ECDSA");
  const FetchedEcdsa& fetched = library.fetched().ecdsa;
  if (!fetched.usable())
    return fail(Status::kUnsupported, std::string("no provider for ") + algorithm_info(algorithm)->name);
  return &fetched;
}

Result<> check_ec_heap_room(const AlgorithmInfo& info) {
  if (secure_heap_has_room(kEcHeapUse)) return {};
  return fail(Status::kLimitReached, std::string(info.name) + ": the locked memory for expanded keys is used up");
}

Result<PkeyHandle> generate_ec_key(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info) {
  WVDS_TRY(check_ec_heap_room(info));
  const PkeyCtxHandle context(EVP_PKEY_CTX_dup(fetched.keys.get()));
  const std::array parameters{curve_param(info), OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_params(context.get(), parameters.data()) != 1 || EVP_PKEY_generate(context.get(), &made) != 1) {
    return failed(Status::kCryptoError, info, "key generation failed");
  }
  PkeyHandle key(made);
  // The FIPS module has done so already; the default provider does not.
  if (!is_pair(library, key.get())) return failed(Status::kCryptoError, info, "the pairwise test failed");
  return key;
}

Result<PkeyHandle> ec_key_from_scalar(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info,
                                      Bytes scalar) {
  if (scalar.size() != info.secret)
    return fail(Status::kInvalidPayload, std::string(info.name) + ": the scalar has a wrong length");
  WVDS_TRY(check_ec_heap_room(info));
  WVDS_ASSIGN(point, public_point(library, info, scalar));
  return key_of(library, fetched, info, scalar, point);
}

Result<PkeyHandle> ec_public_key(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info,
                                 Bytes point) {
  if (point.size() != info.public_key || point.front() != kUncompressed) {
    return fail(Status::kInvalidPayload, std::string(info.name) + ": the public key is no uncompressed point");
  }
  PkeyHandle key =
      import(fetched, EVP_PKEY_PUBLIC_KEY,
             std::array{curve_param(info), octet_param(OSSL_PKEY_PARAM_PUB_KEY, point), OSSL_PARAM_construct_end()});
  if (!key || !check(library, key.get(), EVP_PKEY_public_check))
    return failed(Status::kInvalidPayload, info, "the public key is no point of the curve");
  return key;
}

bool is_pair(const Library& library, EVP_PKEY* key) { return check(library, key, EVP_PKEY_pairwise_check); }

bool is_on_named_curve(const EVP_PKEY* key, const AlgorithmInfo& info) {
  std::array<char, 32> name{};
  size_t length = 0;
  int from_parameters = 1;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1 &&
         std::string_view(name.data(), length) == curve_of(info).name &&
         EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &from_parameters) == 1 &&
         from_parameters == 0;
}

Result<LockedBytes> scalar_of(const EVP_PKEY* key, const AlgorithmInfo& info) {
  WVDS_ASSIGN(scalar, LockedBytes::of_size(info.secret));
  const MutableBytes out = scalar.expose_for_writing();
  std::array parameters{number_param(OSSL_PKEY_PARAM_PRIV_KEY, out), OSSL_PARAM_construct_end()};
  // OpenSSL writes as many bytes as the order has, whatever the number, so that its size does not show.
  if (EVP_PKEY_get_params(key, parameters.data()) != 1 || parameters[0].return_size != out.size())
    return failed(Status::kCryptoError, info, "the key has no scalar of the right length");
  native_order(out);
  return scalar;
}

Result<std::vector<std::byte>> point_of(const EVP_PKEY* key, const AlgorithmInfo& info) {
  std::vector<std::byte> point(info.public_key);
  size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, data_of(MutableBytes(point)), point.size(),
                                      &length) != 1 ||
      length != point.size() || point.front() != kUncompressed) {
    return failed(Status::kCryptoError, info, "the key has no public point of the right length");
  }
  return point;
}

}  // namespace wvds::crypto
