#include "crypto/library.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <utility>

#include "crypto/engine.h"
#include "crypto/engine_check.h"
#include "crypto/fetched.h"
#include "crypto/locked_secret.h"
#include "crypto/openssl_error.h"
#include "crypto/openssl_place.h"
#include "crypto/providers.h"
#include "crypto/secure_heap.h"

namespace wvds::crypto {
namespace {

// name_of returns the name of the provider that `object`'s implementation comes from.
template <class HandleType, class Provider>
std::string name_of(const HandleType& object, Provider provider) {
  const OSSL_PROVIDER* from = object ? provider(object.get()) : nullptr;
  return from != nullptr ? OSSL_PROVIDER_get0_name(from) : "";
}

std::string cipher_provider(OSSL_LIB_CTX* context, const char* name) {
  return name_of(CipherHandle(EVP_CIPHER_fetch(context, name, nullptr)), EVP_CIPHER_get0_provider);
}
std::string signature_provider(OSSL_LIB_CTX* context, const char* name) {
  return name_of(SignatureHandle(EVP_SIGNATURE_fetch(context, name, nullptr)), EVP_SIGNATURE_get0_provider);
}
std::string kem_provider(OSSL_LIB_CTX* context, const char* name) {
  return name_of(KemHandle(EVP_KEM_fetch(context, name, nullptr)), EVP_KEM_get0_provider);
}
std::string digest_provider(OSSL_LIB_CTX* context, const char* name) {
  return name_of(MdHandle(EVP_MD_fetch(context, name, nullptr)), EVP_MD_get0_provider);
}
std::string kdf_provider(OSSL_LIB_CTX* context, const char* name) {
  return name_of(KdfHandle(EVP_KDF_fetch(context, name, nullptr)), EVP_KDF_get0_provider);
}
std::string rand_provider(OSSL_LIB_CTX* context, const char* name) {
  return name_of(RandHandle(EVP_RAND_fetch(context, name, nullptr)), EVP_RAND_get0_provider);
}

class OpenSslLibrary final : public Library {
 public:
  OpenSslLibrary(Providers providers, bool fips, std::string fips_detail, FipsState without_fips)
      : providers_(std::move(providers)),
        fetched_(Fetched::fetch_all(providers_.context.get())),
        fips_(fips),
        without_fips_(without_fips),
        fips_detail_(std::move(fips_detail)),
        version_(OpenSSL_version(OPENSSL_VERSION)),
        provider_(provider_title(providers_.algorithms.get())) {}

  // keep_engines_apart hides engines from everything that is fetched without a query of its own, as "fips=yes" does in
  // FIPS mode.
  Result<> keep_engines_apart() {
    if (fips_ || EVP_set_default_properties(context(), "provider=default") == 1) return {};
    return openssl_failure(Status::kCryptoError, "no default properties could be set");
  }

  // add_engine lets an engine serve the algorithms it was chosen for.
  Result<> add_engine(const EngineConfig& config) {
    WVDS_ASSIGN(engine, load_engine(context(), config));
    WVDS_TRY(fetch_from_engine(context(), engine, fetched_));
    infos_.push_back({engine.title, config.module, config.algorithms});
    engines_.push_back(std::move(engine));
    return {};
  }

  // check_engines compares what they do with OpenSSL's own implementation, `reference`.
  Result<> check_engines(const Library& reference) const {
    WVDS_TRY(check_sources(context(), providers_.algorithms.get()));
    for (const Engine& engine : engines_) {
      for (const Algorithm algorithm : engine.config.algorithms) {
        if (auto right = check_algorithm(*this, reference, algorithm); !right) {
          return engine_failure(engine.config, std::string(algorithm_info(algorithm)->name) + ": " +
                                                   right.error().detail +
                                                   "; take the algorithm out of \"algorithms\", or update the module");
        }
      }
    }
    return {};
  }

  void require_fips() { fips_required_ = true; }
  bool fips_required() const override { return fips_required_; }

  FipsState fips_state() const override {
    if (!fips_) return without_fips_;
    return provider_runs(providers_.algorithms.get()) ? FipsState::kActive : FipsState::kUnavailable;
  }
  const std::string& fips_detail() const override {
    static const std::string kErrorState =
        "the FIPS provider is in its error state: a self-test failed while the service ran; restart it";
    return fips_ && fips_state() != FipsState::kActive ? kErrorState : fips_detail_;
  }
  const std::string& version() const override { return version_; }
  const std::string& provider() const override { return provider_; }
  const std::vector<EngineInfo>& engines() const override { return infos_; }
  bool memory_locked() const override { return secure_heap_locked() && engines_.empty(); }
  SecureHeap secure_heap() const override { return {secure_heap_size(), secure_heap_used()}; }

  bool has(Algorithm algorithm) const override {
    if (is_aes(algorithm)) return fetched_.aes_256_gcm != nullptr;
    if (is_ecdsa(algorithm)) return algorithm_info(algorithm) != nullptr && fetched_.ecdsa.usable();
    return fetched_.pqc_of(algorithm) != nullptr;
  }

  Serving serving(Algorithm algorithm) const override {
    if (!has(algorithm)) return {};
    if (const Engine* engine = engine_of(engines_, algorithm); engine != nullptr) return {engine->title, false};
    return {provider_, fips_state() == FipsState::kActive};
  }

  std::string provider_of(const char* openssl_name) const override {
    std::string found;
    for (const auto& ask :
         {cipher_provider, signature_provider, kem_provider, digest_provider, kdf_provider, rand_provider}) {
      found = ask(context(), openssl_name);
      if (!found.empty()) break;
    }
    clear_openssl_errors();
    return found;
  }

  Result<> random(MutableBytes out) const override {
    return drawn(RAND_bytes_ex(context(), data_of(out), out.size(), 0), out);
  }
  Result<> random_secret(MutableBytes out) const override {
    return drawn(RAND_priv_bytes_ex(context(), data_of(out), out.size(), 0), out);
  }

  ossl_lib_ctx_st* context() const override { return providers_.context.get(); }
  const Fetched& fetched() const override { return fetched_; }

 private:
  static Result<> drawn(int answer, MutableBytes out) {
    if (answer == 1) return {};
    wipe(out);
    return openssl_failure(Status::kCryptoError, "the random generator failed");
  }

  // In the order they must be released: last first.
  Providers providers_;
  std::vector<Engine> engines_;
  Fetched fetched_;
  std::vector<EngineInfo> infos_;
  const bool fips_;
  bool fips_required_ = false;
  const FipsState without_fips_;
  const std::string fips_detail_;
  const std::string version_;
  const std::string provider_;
};

using LoadedLibrary = std::unique_ptr<OpenSslLibrary>;

FipsFiles fips_files(const LibraryConfig& config) {
  FipsFiles files = default_fips_files();
  if (!config.modules_dir.empty()) files.modules_dir = config.modules_dir;
  if (!config.fips_config.empty()) files.config = config.fips_config;
  return files;
}

Result<> check_engine_modes(const LibraryConfig& config) {
  if (config.engines.empty()) return {};
  if (config.fips == FipsMode::kRequired)
    return fail(Status::kInvalidArgument, "an engine is outside FIPS, which is required");
  if (config.locked_memory_required)
    return fail(Status::kInvalidArgument, "an engine's memory is not locked, which is required");
  return {};
}

Result<LoadedLibrary> load_mode(const LibraryConfig& config) {
  const FipsFiles files = fips_files(config);
  std::string fips_detail;
  if (config.fips != FipsMode::kOff) {
    auto fips = load_fips_providers(files);
    if (fips) return std::make_unique<OpenSslLibrary>(std::move(*fips), true, "", FipsState::kUnavailable);
    if (config.fips == FipsMode::kRequired) return forward_error(fips);
    fips_detail = std::move(fips.error().detail);
  }
  WVDS_ASSIGN(defaults, load_default_providers(files.modules_dir));
  const FipsState state = config.fips == FipsMode::kOff ? FipsState::kOff : FipsState::kUnavailable;
  return std::make_unique<OpenSslLibrary>(std::move(defaults), false, std::move(fips_detail), state);
}

// The reference is a context of its own with the default provider, which has every algorithm.
Result<> add_engines(const LibraryConfig& config, OpenSslLibrary& library) {
  if (config.engines.empty()) return {};
  WVDS_TRY(library.keep_engines_apart());
  for (const EngineConfig& engine : config.engines) WVDS_TRY(library.add_engine(engine));
  WVDS_ASSIGN(defaults, load_default_providers(fips_files(config).modules_dir));
  const OpenSslLibrary reference(std::move(defaults), false, "", FipsState::kOff);
  return library.check_engines(reference);
}

}  // namespace

Result<std::unique_ptr<Library>> Library::load(const LibraryConfig& config) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  WVDS_TRY(check_engine_modes(config));
  WVDS_TRY(start_secure_heap(config.secure_heap_bytes, config.locked_memory_required));
  WVDS_ASSIGN(library, load_mode(config));
  if (config.fips == FipsMode::kRequired) library->require_fips();
  WVDS_TRY(add_engines(config, *library));
  return library;
}

bool equal_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && declassified(CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace wvds::crypto
