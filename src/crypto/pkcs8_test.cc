#include <openssl/core_names.h>
#include <openssl/err.h>

#include "crypto/mldsa.h"
#include "crypto/openssl_handles.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

// tlv encodes one DER value.
Octets tlv(uint8_t tag, const Octets& content) {
  Octets out{std::byte{tag}};
  const size_t size = content.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::byte>(size));
  } else {
    out.push_back(std::byte{0x82});
    out.push_back(static_cast<std::byte>(size >> 8));
    out.push_back(static_cast<std::byte>(size & 0xff));
  }
  for (const std::byte byte : content) out.push_back(byte);
  return out;
}

Octets operator+(Octets a, const Octets& b) {
  for (const std::byte byte : b) a.push_back(byte);
  return a;
}

// private_key_info is RFC 5208's PrivateKeyInfo, version 0, with the object identifier 2.16.840.1.101.3.4.x.y.
Octets private_key_info(uint8_t family, uint8_t set, const Octets& private_key) {
  Octets oid = from_hex("6086480165030400") + Octets{std::byte{set}};
  oid[7] = std::byte{family};
  return tlv(0x30, tlv(0x02, {std::byte{0}}) + tlv(0x30, tlv(0x06, oid)) + tlv(0x04, private_key));
}

struct KeyType {
  Algorithm algorithm;
  uint8_t family;  // of the object identifier
  uint8_t set;
  size_t expanded_size;
};

void PrintTo(const KeyType& type, std::ostream* out) { *out << algorithm_info(type.algorithm)->name; }

constexpr KeyType kKeyTypes[] = {
    {Algorithm::kMlDsa44, 3, 17, 2560}, {Algorithm::kMlDsa65, 3, 18, 4032}, {Algorithm::kMlDsa87, 3, 19, 4896},
    {Algorithm::kMlKem512, 4, 1, 1632}, {Algorithm::kMlKem768, 4, 2, 2400}, {Algorithm::kMlKem1024, 4, 3, 3168},
};

class SeedFromPkcs8 : public testing::TestWithParam<std::tuple<FipsMode, KeyType>> {
 protected:
  const Library& library() const { return library_in(std::get<0>(GetParam())); }
  const KeyType& type() const { return std::get<1>(GetParam()); }
  const AlgorithmInfo& info() const { return *algorithm_info(type().algorithm); }
  Octets seed() const { return pattern(info().secret, 5); }

  // expanded is the private key as FIPS 203 and FIPS 204 encode it.
  Octets expanded() const {
    const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(library().context(), info().name, nullptr));
    const Octets from = seed();
    const OSSL_PARAM parameters[] = {octet_param(OSSL_PKEY_PARAM_ML_DSA_SEED, from), OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, const_cast<OSSL_PARAM*>(parameters)), 1);
    const PkeyHandle owned(key);
    Octets out(type().expanded_size);
    size_t length = 0;
    EXPECT_EQ(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PRIV_KEY, data_of(MutableBytes(out)), out.size(), &length),
        1);
    EXPECT_EQ(length, out.size());
    return out;
  }

  // The three forms of RFC 9881, section 6, and RFC 9935, section 6
  Octets seed_only() const { return private_key_info(type().family, type().set, tlv(0x80, seed())); }
  Octets expanded_only() const { return private_key_info(type().family, type().set, tlv(0x04, expanded())); }
  Octets both() const {
    return private_key_info(type().family, type().set, tlv(0x30, tlv(0x04, seed()) + tlv(0x04, expanded())));
  }
};

INSTANTIATE_TEST_SUITE_P(, SeedFromPkcs8,
                         testing::Combine(testing::Values(FipsMode::kRequired, FipsMode::kOff),
                                          testing::ValuesIn(kKeyTypes)),
                         [](const auto& info) {
                           std::string name = algorithm_info(std::get<1>(info.param).algorithm)->name;
                           std::erase(name, '-');
                           return (std::get<0>(info.param) == FipsMode::kRequired ? "Fips" : "Default") + name;
                         });

TEST_P(SeedFromPkcs8, TakesTheSeedFromTheFormsThatHaveOne) {
  for (const Octets& der : {seed_only(), both()}) {
    const auto found = seed_from_pkcs8(library(), type().algorithm, der);
    ASSERT_TRUE(found) << why(found);
    EXPECT_TRUE(same(found->expose(), seed()));
  }
}

TEST_P(SeedFromPkcs8, SaysThatAnExpandedKeyIsUnsupported) {
  EXPECT_EQ(status_of(seed_from_pkcs8(library(), type().algorithm, expanded_only())), Status::kUnsupported);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(SeedFromPkcs8, RefusesAnotherAlgorithm) {
  for (const KeyType& other : kKeyTypes) {
    if (other.algorithm == type().algorithm) continue;
    EXPECT_EQ(status_of(seed_from_pkcs8(library(), other.algorithm, seed_only())), Status::kInvalidPayload);
  }
  EXPECT_EQ(status_of(seed_from_pkcs8(library(), Algorithm::kAes256Gcm, seed_only())), Status::kWrongKeyType);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(SeedFromPkcs8, RefusesASeedThatDoesNotFitItsExpandedKey) {
  Octets mixed = both();
  const Octets right = seed();
  const auto at = std::ranges::search(mixed, right).begin();
  ASSERT_NE(at, mixed.end());
  *at ^= std::byte{1};
  EXPECT_EQ(status_of(seed_from_pkcs8(library(), type().algorithm, mixed)), Status::kInvalidPayload);
}

TEST_P(SeedFromPkcs8, RefusesTruncatedAndExtendedEncodings) {
  Octets der = seed_only();
  der.push_back(std::byte{0});
  EXPECT_EQ(status_of(seed_from_pkcs8(library(), type().algorithm, der)), Status::kInvalidPayload);
  for (size_t size = 0; size < der.size() - 1; ++size) {
    EXPECT_EQ(status_of(seed_from_pkcs8(library(), type().algorithm, Bytes(der).first(size))), Status::kInvalidPayload)
        << size;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace wvds::crypto
