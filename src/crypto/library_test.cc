#include "crypto/library.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <set>

#include "crypto/mldsa.h"
#include "crypto/openssl_error.h"
#include "crypto/openssl_handles.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr Algorithm kAll[] = {Algorithm::kAes256Gcm, Algorithm::kMlDsa44,  Algorithm::kMlDsa65,  Algorithm::kMlDsa87,
                              Algorithm::kMlKem512,  Algorithm::kMlKem768, Algorithm::kMlKem1024};
constexpr const char* kHelpers[] = {"HKDF", "PBKDF2", "SHA256", "SHA512", "CTR-DRBG"};

class LibraryModes : public LibraryTest {
 protected:
  bool fips() const { return GetParam() == FipsMode::kRequired; }
  std::string provider() const { return fips() ? "fips" : "default"; }
};
WVDS_IN_BOTH_MODES(LibraryModes);

TEST_P(LibraryModes, ServeEveryAlgorithmFromTheModesProvider) {
  for (const Algorithm algorithm : kAll) {
    EXPECT_TRUE(library().has(algorithm));
    EXPECT_EQ(library().provider_of(algorithm_info(algorithm)->name), provider()) << algorithm_info(algorithm)->name;
  }
  for (const char* name : kHelpers) EXPECT_EQ(library().provider_of(name), provider()) << name;
  EXPECT_FALSE(library().has(Algorithm::kNone));
  EXPECT_FALSE(library().has(static_cast<Algorithm>(0x13)));
}

TEST_P(LibraryModes, DrawRandomBytesFromTheModesProvider) {
  Octets out(16);
  ASSERT_TRUE(library().random(out));
  for (EVP_RAND_CTX* generator : {RAND_get0_public(library().context()), RAND_get0_private(library().context())}) {
    EXPECT_EQ(OSSL_PROVIDER_get0_name(EVP_RAND_get0_provider(EVP_RAND_CTX_get0_rand(generator))), provider());
  }
}

TEST_P(LibraryModes, TellTheirState) {
  EXPECT_EQ(library().fips_state(), fips() ? FipsState::kActive : FipsState::kOff);
  EXPECT_EQ(library().fips_detail(), "");
  EXPECT_TRUE(library().version().starts_with("OpenSSL 3.")) << library().version();
  EXPECT_TRUE(library().provider().starts_with(fips() ? "OpenSSL FIPS Provider 3." : "OpenSSL Default Provider 3."))
      << library().provider();
}

TEST_P(LibraryModes, KnowNoProviderForUnknownNames) {
  EXPECT_EQ(library().provider_of("ROT13"), "");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(LibraryModes, RefuseAlgorithmsOutsideFipsInFipsModeOnly) {
  EXPECT_EQ(library().provider_of("MD5"), fips() ? "" : "default");
  EXPECT_EQ(library().provider_of("CHACHA20-POLY1305"), fips() ? "" : "default");
}

TEST_P(LibraryModes, GiveDifferentRandomBytesEachTime) {
  std::set<Octets> seen;
  for (int i = 0; i < 1000; ++i) {
    Octets out(16);
    ASSERT_TRUE(library().random(out));
    seen.insert(out);
    ASSERT_TRUE(library().random_secret(out));
    seen.insert(out);
  }
  EXPECT_EQ(seen.size(), 2000u);
  Octets large(200'000);  // more than the generator gives at once
  ASSERT_TRUE(library().random(large));
  EXPECT_FALSE(all_zero(Bytes(large).last(16)));
  EXPECT_TRUE(library().random({}));
}

TEST(EqualConstantTime, ComparesContentAndLength) {
  const Octets a = pattern(32);
  Octets b = a;
  EXPECT_TRUE(equal_constant_time(a, b));
  EXPECT_TRUE(equal_constant_time({}, {}));
  b.back() ^= std::byte{0x80};
  EXPECT_FALSE(equal_constant_time(a, b));
  EXPECT_FALSE(equal_constant_time(a, Bytes(a).first(31)));
}

TEST(OpensslFailure, TellsTheReasonsOnceAndEmptiesTheQueue) {
  library_in(FipsMode::kOff);
  ERR_raise_data(ERR_LIB_CRYPTO, ERR_R_INTERNAL_ERROR, "detail of the cause");
  const Result<> failed = openssl_failure(Status::kCryptoError, "it failed");
  EXPECT_EQ(failed.error().status, Status::kCryptoError);
  EXPECT_EQ(failed.error().detail, "it failed: internal error (detail of the cause)");
  EXPECT_EQ(ERR_peek_error(), 0u);
  const Result<> again = openssl_failure(Status::kCryptoError, "it failed");
  EXPECT_EQ(again.error().detail, "it failed");
}

}  // namespace
}  // namespace wvds::crypto
