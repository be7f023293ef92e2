// C2SP/CCTV, ML-DSA/accumulated: seeds are drawn from SHAKE128 of nothing; each seed's public key and its deterministic
// signature of the empty message go into another SHAKE128, whose first 32 bytes are published for 100 and for 10,000
// seeds.

#include "crypto/mldsa.h"
#include "crypto/openssl_handles.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

class Shake128 {
 public:
  explicit Shake128(const Library& library)
      : md_(EVP_MD_fetch(library.context(), "SHAKE128", nullptr)), context_(EVP_MD_CTX_new()) {
    EXPECT_EQ(EVP_DigestInit_ex2(context_.get(), md_.get(), nullptr), 1);
  }
  void absorb(Bytes bytes) { EXPECT_EQ(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), 1); }
  Octets squeeze(size_t size) {
    Octets out(size);
    EXPECT_EQ(EVP_DigestSqueeze(context_.get(), data_of(MutableBytes(out)), size), 1);
    return out;
  }

 private:
  MdHandle md_;
  MdCtxHandle context_;
};

std::string accumulated(const Library& library, Algorithm algorithm, int seeds) {
  Shake128 source(library);
  Shake128 sum(library);
  const MlDsaOptions deterministic{.context = {}, .deterministic = true};
  Octets signature(algorithm_info(algorithm)->signature);
  for (int i = 0; i < seeds; ++i) {
    const auto key = MlDsaPrivateKey::from_seed(library, algorithm, source.squeeze(kMlDsaSeedSize));
    EXPECT_TRUE(key) << why(key);
    if (!key) return "";
    EXPECT_TRUE((*key)->sign(deterministic, {}, signature));
    EXPECT_TRUE((*key)->verify({}, {}, signature));
    sum.absorb((*key)->public_key());
    sum.absorb(signature);
  }
  return to_hex(sum.squeeze(32));
}

// WVDS_ACCUMULATED_SEEDS is 100, or 10000 in the long form of this test.
struct Published {
  Algorithm algorithm;
  const char* hash;
};

void PrintTo(const Published& published, std::ostream* out) { *out << algorithm_info(published.algorithm)->name; }

#if WVDS_ACCUMULATED_SEEDS == 100
constexpr Published kPublished[] = {
    {Algorithm::kMlDsa44, "d51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4"},
    {Algorithm::kMlDsa65, "8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199"},
    {Algorithm::kMlDsa87, "8c3ad714777622b8f21ce31bb35f71394f23bc0fcf3c78ace5d608990f3b061b"},
};
#elif WVDS_ACCUMULATED_SEEDS == 10000
constexpr Published kPublished[] = {
    {Algorithm::kMlDsa44, "e7fd21f6a59bcba60d65adc44404bb29a7c00e5d8d3ec06a732c00a306a7d143"},
    {Algorithm::kMlDsa65, "5ff5e196f0b830c3b10a9eb5358e7c98a3a20136cb677f3ae3b90175c3ace329"},
    {Algorithm::kMlDsa87, "80a8cf39317f7d0be0e24972c51ac152bd2a3e09bc0c32ce29dd82c4e7385e60"},
};
#endif

class MlDsaAccumulated : public testing::TestWithParam<Published> {};
INSTANTIATE_TEST_SUITE_P(, MlDsaAccumulated, testing::ValuesIn(kPublished),
                         [](const auto& info) { return std::string(algorithm_info(info.param.algorithm)->name + 7); });

TEST_P(MlDsaAccumulated, HashOfKeysAndSignaturesIsThePublishedOne) {
  EXPECT_EQ(accumulated(library_in(FipsMode::kRequired), GetParam().algorithm, WVDS_ACCUMULATED_SEEDS),
            GetParam().hash);
}

}  // namespace
}  // namespace wvds::crypto
