// Engines: provider modules that serve chosen algorithms. testing/test_provider.cc is the one that is loaded here.

#include "crypto/engine.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "crypto/mldsa.h"
#include "crypto/mlkem.h"
#include "crypto/openssl_error.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr Algorithm kDsa = Algorithm::kMlDsa65;
constexpr Algorithm kKem = Algorithm::kMlKem768;
constexpr const char* kTitle = "WvdS Test Provider 1.0";

LibraryConfig config_of(FipsMode mode, const std::string& module, const std::string& properties,
                        std::vector<Algorithm> algorithms = {kDsa, kKem}) {
  LibraryConfig config;
  config.fips = mode;
  config.engines.push_back({module, std::move(algorithms), properties});
  return config;
}

std::unique_ptr<Library> loaded(const LibraryConfig& config) {
  auto made = Library::load(config);
  EXPECT_TRUE(made) << why(made);
  return made ? std::move(*made) : nullptr;
}

// refusal is why a library with that engine does not load; empty when it does.
std::string refusal(const LibraryConfig& config) {
  const auto made = Library::load(config);
  return made ? "" : made.error().detail;
}
std::string refusal(const std::string& properties, Algorithm algorithm) {
  return refusal(config_of(FipsMode::kOff, WVDS_TEST_PROVIDER, properties, {algorithm}));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Octets signed_by(const MlDsaPrivateKey& key, const Octets& message, const MlDsaOptions& options) {
  Octets signature(algorithm_info(kDsa)->signature);
  const auto done = key.sign(options, untrusted(message), signature);
  EXPECT_TRUE(done) << why(done);
  return signature;
}

Octets seed_bytes(const LockedBytes& seed) { return {seed.expose().begin(), seed.expose().end()}; }

// A copy of the module beside which the test provider notes its uses.
class NotingModule {
 public:
  explicit NotingModule(const std::string& name) : path_(testing::TempDir() + "/" + name) {
    std::filesystem::copy_file(WVDS_TEST_PROVIDER, path_, std::filesystem::copy_options::overwrite_existing);
    forget();
  }
  ~NotingModule() {
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + ".uses");
  }
  NotingModule(const NotingModule&) = delete;
  NotingModule& operator=(const NotingModule&) = delete;

  const std::string& path() const { return path_; }
  void forget() const { std::ofstream(path_ + ".uses", std::ios::trunc).close(); }
  std::multiset<std::string> uses() const {
    std::ifstream file(path_ + ".uses");
    std::multiset<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.insert(line);
    return lines;
  }

 private:
  const std::string path_;
};

class EngineTest : public testing::TestWithParam<FipsMode> {
 protected:
  std::unique_ptr<Library> with_engine(std::vector<Algorithm> algorithms = {kDsa, kKem}) const {
    return loaded(config_of(GetParam(), WVDS_TEST_PROVIDER, "provider=wvdstest", std::move(algorithms)));
  }
  static const Library& plain() { return library_in(FipsMode::kOff); }
};

INSTANTIATE_TEST_SUITE_P(, EngineTest, testing::Values(FipsMode::kPreferred, FipsMode::kOff),
                         [](const auto& info) { return info.param == FipsMode::kPreferred ? "Fips" : "Default"; });

TEST_P(EngineTest, ServesWhatItWasChosenFor) {
  const auto library = with_engine();
  ASSERT_NE(library, nullptr);
  for (const Algorithm algorithm : {kDsa, kKem}) {
    EXPECT_EQ(library->serving(algorithm).provider, kTitle);
    EXPECT_FALSE(library->serving(algorithm).inside_fips);
  }
  ASSERT_EQ(library->engines().size(), 1u);
  EXPECT_EQ(library->engines()[0].title, kTitle);
  EXPECT_EQ(library->engines()[0].module, WVDS_TEST_PROVIDER);
  EXPECT_FALSE(library->memory_locked()) << "who knows where a module keeps keys";
}

TEST_P(EngineTest, DoesTheWorkItself) {
  const NotingModule module("wvds_noting_" + std::to_string(static_cast<int>(GetParam())) + ".so");
  const auto library = loaded(config_of(GetParam(), module.path(), "provider=wvdstest"));
  ASSERT_NE(library, nullptr);

  module.forget();
  LockedBytes seed;
  const auto key = MlDsaPrivateKey::generate(*library, kDsa, seed);
  ASSERT_TRUE(key) << why(key);
  const Octets signature = signed_by(**key, octets("m"), {});
  EXPECT_TRUE((*key)->verify({}, untrusted(octets("m")), signature));
  EXPECT_EQ(module.uses(), (std::multiset<std::string>{"generate", "sign", "verify"}));

  module.forget();
  const auto kem = MlKemPrivateKey::from_seed(*library, kKem, pattern(kMlKemSeedSize));
  ASSERT_TRUE(kem) << why(kem);
  Octets ciphertext(algorithm_info(kKem)->kem_ciphertext);
  SharedSecret sent, received;
  EXPECT_TRUE((*kem)->encapsulate(ciphertext, sent));
  EXPECT_TRUE((*kem)->decapsulate(ciphertext, received));
  EXPECT_EQ(module.uses(), (std::multiset<std::string>{"decapsulate", "encapsulate", "import"}));
}

TEST_P(EngineTest, LeavesTheRestToTheModesProvider) {
  const auto library = with_engine({kDsa});
  ASSERT_NE(library, nullptr);
  const bool fips = GetParam() == FipsMode::kPreferred;
  EXPECT_EQ(library->fips_state(), fips ? FipsState::kActive : FipsState::kOff);
  for (const Algorithm algorithm : {Algorithm::kAes256Gcm, Algorithm::kMlDsa44, kKem}) {
    const Serving serving = library->serving(algorithm);
    EXPECT_EQ(serving.provider, library->provider());
    EXPECT_EQ(serving.inside_fips, fips);
  }
  for (const char* name : {"AES-256-GCM", "ML-DSA-44", "ML-KEM-768", "HKDF", "PBKDF2", "SHA2-256", "CTR-DRBG"}) {
    EXPECT_EQ(library->provider_of(name), fips ? "fips" : "default") << name;
  }
}

TEST_P(EngineTest, SignsWhatOpenSslVerifiesAndTheOtherWayRound) {
  const auto library = with_engine();
  ASSERT_NE(library, nullptr);
  const Octets message = octets("reading"), context = octets("meter");
  LockedBytes seed;
  const auto ours = MlDsaPrivateKey::generate(*library, kDsa, seed);
  ASSERT_TRUE(ours) << why(ours);
  const auto theirs = MlDsaPrivateKey::from_seed(plain(), kDsa, seed_bytes(seed));  // what is stored is the seed
  ASSERT_TRUE(theirs) << why(theirs);
  EXPECT_TRUE(same((*ours)->public_key(), (*theirs)->public_key()));
  for (const MlDsaOptions& options : {MlDsaOptions{}, MlDsaOptions{context, false, false}}) {
    EXPECT_TRUE((*theirs)->verify(options, untrusted(message), signed_by(**ours, message, options)));
    EXPECT_TRUE((*ours)->verify(options, untrusted(message), signed_by(**theirs, message, options)));
  }
  const Octets mu = pattern(kMuSize);
  const MlDsaOptions external_mu{{}, false, true};
  EXPECT_TRUE((*theirs)->verify(external_mu, untrusted(mu), signed_by(**ours, mu, external_mu)));
}

TEST_P(EngineTest, DecapsulatesWhatOpenSslEncapsulatedAndTheOtherWayRound) {
  const auto library = with_engine();
  ASSERT_NE(library, nullptr);
  LockedBytes seed;
  const auto theirs = MlKemPrivateKey::generate(plain(), kKem, seed);
  ASSERT_TRUE(theirs) << why(theirs);
  const auto ours = MlKemPrivateKey::from_seed(*library, kKem, seed_bytes(seed));
  ASSERT_TRUE(ours) << why(ours);
  for (const auto& [sender, receiver] :
       {std::pair{ours->get(), theirs->get()}, std::pair{theirs->get(), ours->get()}}) {
    Octets ciphertext(algorithm_info(kKem)->kem_ciphertext);
    SharedSecret sent, received;
    ASSERT_TRUE(sender->encapsulate(ciphertext, sent));
    ASSERT_TRUE(receiver->decapsulate(ciphertext, received));
    EXPECT_TRUE(equal_constant_time(sent.expose(), received.expose()));
  }
}

// A PKCS#8 file is read by OpenSSL's own code, whoever serves the algorithm.
TEST_P(EngineTest, TakesSeedsOutOfPkcs8Files) {
  const auto library = with_engine();
  ASSERT_NE(library, nullptr);
  const Octets seed = pattern(kMlDsaSeedSize);
  Octets der = from_hex(
      "3034020100300b06096086480165030403120422"
      "8020");
  der.insert(der.end(), seed.begin(), seed.end());
  const auto taken = seed_from_pkcs8(*library, kDsa, der);
  ASSERT_TRUE(taken) << why(taken);
  EXPECT_EQ(seed_bytes(*taken), seed);
}

TEST_P(EngineTest, CanBeSeveralOfOneModule) {
  LibraryConfig config = config_of(GetParam(), WVDS_TEST_PROVIDER, "provider=wvdstest", {kDsa});
  config.engines.push_back({WVDS_TEST_PROVIDER, {kKem}, "provider=wvdstest"});
  const auto library = loaded(config);
  ASSERT_NE(library, nullptr);
  EXPECT_EQ(library->engines().size(), 2u);
  EXPECT_EQ(library->serving(kDsa).provider, kTitle);
  EXPECT_EQ(library->serving(kKem).provider, kTitle);
}

TEST(EngineRefusal, NamesTheModuleThatIsNotThere) {
  const std::string reason = refusal(config_of(FipsMode::kOff, "/nonexistent/engine.so", "provider=x"));
  EXPECT_TRUE(contains(reason, "/nonexistent/engine.so")) << reason;
  EXPECT_TRUE(contains(reason, "did not load")) << reason;
}

TEST(EngineRefusal, NamesTheFileThatIsNoModule) {
  const std::string path = testing::TempDir() + "/wvds_no_module.so";
  std::ofstream(path) << "no shared object";
  const std::string reason = refusal(config_of(FipsMode::kOff, path, "provider=x"));
  EXPECT_TRUE(contains(reason, path)) << reason;
  EXPECT_TRUE(contains(reason, "did not load")) << reason;
}

TEST(EngineRefusal, NamesTheAlgorithmThatTheModuleDoesNotOffer) {
  for (const FipsMode mode : {FipsMode::kOff, FipsMode::kPreferred}) {
    const std::string reason = refusal(config_of(mode, WVDS_TEST_PROVIDER, "provider=wvdstest", {Algorithm::kMlDsa87}));
    EXPECT_TRUE(contains(reason, WVDS_TEST_PROVIDER)) << reason;
    EXPECT_TRUE(contains(reason, "it does not offer ML-DSA-87")) << reason;
  }
}

TEST(EngineRefusal, NeverFallsBackToAnotherProvider) {
  for (const char* properties : {"provider=default", "?provider=wvdstest,provider=default", "?speed=high"}) {
    const std::string reason = refusal(properties, kDsa);
    EXPECT_TRUE(contains(reason, "another provider serves ML-DSA-65")) << properties << ": " << reason;
    EXPECT_TRUE(contains(reason, properties)) << reason;
  }
}

TEST(EngineRefusal, SaysThatPropertiesAreNone) {
  const std::string reason = refusal("provider==", kDsa);
  EXPECT_TRUE(contains(reason, "ML-DSA-65")) << reason;
}

TEST(EngineRefusal, FindsWrongPublicKeys) {
  for (const Algorithm algorithm : {kDsa, kKem}) {
    const std::string reason = refusal("provider=wvdsliar", algorithm);
    EXPECT_TRUE(contains(reason, algorithm_info(algorithm)->name)) << reason;
    EXPECT_TRUE(contains(reason, "another public key than OpenSSL's")) << reason;
  }
}

TEST(EngineRefusal, FindsThatSeedsAreNotTaken) {
  for (const Algorithm algorithm : {kDsa, kKem}) {
    const std::string reason = refusal("provider=wvdsseedless", algorithm);
    EXPECT_TRUE(contains(reason, "making a key from its seed failed")) << reason;
  }
}

TEST(EngineRefusal, FindsThatParametersAreIgnored) {
  EXPECT_TRUE(contains(refusal("provider=wvdsdeaf", kDsa), "OpenSSL refuses its signature with a context string"));
}

TEST(EngineRefusal, FindsThatAFunctionIsMissing) {
  const std::string dsa = refusal("provider=wvdsincomplete", kDsa);
  EXPECT_TRUE(contains(dsa, "signing failed")) << dsa;
  const std::string kem = refusal("provider=wvdsincomplete", kKem);
  EXPECT_TRUE(contains(kem, "decapsulating failed")) << kem;
}

TEST(EngineRefusal, SaysThatFipsAndLockedMemoryCantBeRequiredThen) {
  LibraryConfig config = config_of(FipsMode::kRequired, WVDS_TEST_PROVIDER, "provider=wvdstest");
  EXPECT_TRUE(contains(refusal(config), "outside FIPS, which is required"));
  config.fips = FipsMode::kOff;
  config.locked_memory_required = true;
  EXPECT_TRUE(contains(refusal(config), "not locked, which is required"));
}

// What a module offers besides is out of sight for whoever does not ask for it by its properties.
TEST_P(EngineTest, OffersNothingElse) {
  const auto library = with_engine();
  ASSERT_NE(library, nullptr);
  EXPECT_NE(KemHandle(EVP_KEM_fetch(library->context(), "WVDS-TEST-KEM", "provider=wvdstest,-fips")), nullptr);
  EXPECT_EQ(KemHandle(EVP_KEM_fetch(library->context(), "WVDS-TEST-KEM", nullptr)), nullptr);
  clear_openssl_errors();
}

// OpenSSL prefers, among equals, what was loaded first: here that is a module that claims OpenSSL's own properties.
TEST(EngineSources, AreRefusedWhereAnImpostorServes) {
  const LibCtxHandle context(OSSL_LIB_CTX_new());
  const ProviderHandle impostor(OSSL_PROVIDER_load(context.get(), WVDS_TEST_IMPOSTOR));
  const ProviderHandle real(OSSL_PROVIDER_load(context.get(), "default"));
  ASSERT_TRUE(impostor && real);
  const auto checked = check_sources(context.get(), real.get());
  ASSERT_FALSE(checked);
  EXPECT_TRUE(contains(checked.error().detail, "claims properties that are OpenSSL's own")) << why(checked);
}

TEST(EngineSources, AreThoseOfTheModeWhereAnImpostorComesLater) {
  for (const FipsMode mode : {FipsMode::kOff, FipsMode::kPreferred}) {
    const auto library = loaded(config_of(mode, WVDS_TEST_IMPOSTOR, "provider=wvdstest", {kDsa}));
    ASSERT_NE(library, nullptr);
    EXPECT_EQ(library->provider_of("ML-KEM-512"), mode == FipsMode::kOff ? "default" : "fips");
  }
}

}  // namespace
}  // namespace wvds::crypto
