#include "crypto/mldsa_mu.h"

#include "crypto/mldsa.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

struct Case {
  FipsMode mode;
  Algorithm algorithm;
};

void PrintTo(const Case& parameter, std::ostream* out) { PrintTo(parameter.algorithm, out); }

class MlDsaMuTest : public testing::TestWithParam<Case> {
 protected:
  MlDsaMuTest() {
    auto made = MlDsaPrivateKey::from_seed(library(), algorithm(), pattern(kMlDsaSeedSize));
    EXPECT_TRUE(made) << why(made);
    key_ = std::move(*made);
  }

  const Library& library() const { return library_in(GetParam().mode); }
  Algorithm algorithm() const { return GetParam().algorithm; }

  Octets mu_of(const Octets& message, const Octets& context, size_t piece = SIZE_MAX) {
    auto mu = MlDsaMu::start(library(), algorithm(), key_->public_key(), context);
    EXPECT_TRUE(mu) << why(mu);
    for (Bytes left = message; !left.empty(); left = left.subspan(std::min(piece, left.size()))) {
      EXPECT_TRUE((*mu)->update(left.first(std::min(piece, left.size()))));
    }
    const auto value = (*mu)->finish();
    EXPECT_TRUE(value) << why(value);
    return {value->begin(), value->end()};
  }

  Octets signature_of(const Octets& message, const MlDsaOptions& options) {
    Octets signature(algorithm_info(algorithm())->signature);
    const auto signed_it = key_->sign(options, UntrustedBytes(message), signature);
    EXPECT_TRUE(signed_it) << why(signed_it);
    return signature;
  }

  std::unique_ptr<MlDsaPrivateKey> key_;
};

INSTANTIATE_TEST_SUITE_P(
    , MlDsaMuTest,
    testing::Values(Case{FipsMode::kRequired, Algorithm::kMlDsa44}, Case{FipsMode::kRequired, Algorithm::kMlDsa65},
                    Case{FipsMode::kRequired, Algorithm::kMlDsa87}, Case{FipsMode::kOff, Algorithm::kMlDsa65}),
    [](const auto& info) {
      const std::string name = algorithm_info(info.param.algorithm)->name;
      return "With" + name.substr(name.size() - 2) + (info.param.mode == FipsMode::kRequired ? "InFips" : "InDefault");
    });

// What FIPS 204 promises: the deterministic signature is the same whichever way the message goes in.
TEST_P(MlDsaMuTest, GivesTheSignatureOfTheMessageItself) {
  for (const size_t context_size : {0, 1, 255}) {
    for (const size_t message_size : {0, 1, 1000, 100000}) {
      const Octets message = pattern(message_size), context = pattern(context_size, 7);
      const Octets direct = signature_of(message, {.context = context, .deterministic = true});
      const Octets by_mu =
          signature_of(mu_of(message, context), {.context = {}, .deterministic = true, .external_mu = true});
      EXPECT_TRUE(same(direct, by_mu)) << context_size << " " << message_size;
    }
  }
}

TEST_P(MlDsaMuTest, VerifiesAsTheMessageDoes) {
  const Octets message = pattern(5000), context = octets("invoice");
  const Octets signature =
      signature_of(mu_of(message, context), {.context = {}, .deterministic = false, .external_mu = true});
  EXPECT_TRUE(key_->verify({.context = context}, UntrustedBytes(message), signature));
  EXPECT_EQ(status_of(key_->verify({.context = octets("order")}, UntrustedBytes(message), signature)),
            Status::kSignatureInvalid);
}

TEST_P(MlDsaMuTest, DoesNotDependOnThePieces) {
  const Octets message = pattern(3000);
  const Octets whole = mu_of(message, {});
  for (const size_t piece : {1, 135, 136, 137, 2999}) EXPECT_EQ(mu_of(message, {}, piece), whole) << piece;
}

TEST_P(MlDsaMuTest, RefusesOtherKeysAndLongContexts) {
  const Octets context(256);
  const Bytes key = key_->public_key();
  EXPECT_EQ(status_of(MlDsaMu::start(library(), algorithm(), key.first(key.size() - 1), {})), Status::kInvalidPayload);
  EXPECT_EQ(status_of(MlDsaMu::start(library(), algorithm(), key, context)), Status::kInvalidPayload);
  EXPECT_EQ(status_of(MlDsaMu::start(library(), Algorithm::kMlKem768, key, {})), Status::kWrongKeyType);
}

}  // namespace
}  // namespace wvds::crypto
