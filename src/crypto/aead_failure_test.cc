// What the sealers do when the provider fails or misbehaves, with a provider made for it: its cipher keeps a nonce
// counter, writes what it is told to and fails where it is told to. No cryptography here.

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <cstring>

#include "crypto/aead.h"
#include "crypto/fetched.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

enum class Step { kNone, kNonce, kAad, kData, kFinal, kTag, kShortOutput };

// What the provider does next.
struct Script {
  Step fails = Step::kNone;
  uint64_t counter_step = 1;
} script;

struct FakeContext {
  uint64_t counter = 100;
};

void* new_context(void*) { return new FakeContext; }
void free_context(void* context) { delete static_cast<FakeContext*>(context); }
void* copy_context(void* context) { return new FakeContext(*static_cast<FakeContext*>(context)); }

int init(void*, const unsigned char*, size_t, const unsigned char* nonce, size_t, const OSSL_PARAM*) {
  return nonce == nullptr ? 1 : 0;
}

int update(void*, unsigned char* out, size_t* written, size_t, const unsigned char* in, size_t size) {
  *written = size;
  if (out == nullptr) return script.fails != Step::kAad;
  std::memcpy(out, in, size);  // as an implementation would that fails half-way
  if (script.fails == Step::kShortOutput) *written = size - 1;
  return script.fails != Step::kData;
}

int final(void*, unsigned char*, size_t* written, size_t) {
  *written = 0;
  return script.fails != Step::kFinal;
}

int set_octets(OSSL_PARAM* parameters, const char* name, const void* data, size_t size, bool fails) {
  OSSL_PARAM* wanted = OSSL_PARAM_locate(parameters, name);
  if (wanted == nullptr) return 1;
  if (fails) return 0;
  return OSSL_PARAM_set_octet_string(wanted, data, size);
}

int get_context_params(void* context, OSSL_PARAM parameters[]) {
  auto* fake = static_cast<FakeContext*>(context);
  Nonce nonce{};
  if (OSSL_PARAM_locate(parameters, OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN) != nullptr) {
    for (size_t i = 0; i < 8; ++i) nonce[kNonceSize - 1 - i] = static_cast<std::byte>(fake->counter >> (8 * i) & 0xff);
    fake->counter += script.counter_step;
  }
  const Tag tag{std::byte{1}};
  OSSL_PARAM* size = OSSL_PARAM_locate(parameters, OSSL_CIPHER_PARAM_IVLEN);
  if (size != nullptr) OSSL_PARAM_set_size_t(size, kNonceSize);
  size = OSSL_PARAM_locate(parameters, OSSL_CIPHER_PARAM_KEYLEN);
  if (size != nullptr) OSSL_PARAM_set_size_t(size, kAesKeySize);
  return set_octets(parameters, OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, nonce.data(), nonce.size(),
                    script.fails == Step::kNonce) &&
         set_octets(parameters, OSSL_CIPHER_PARAM_UPDATED_IV, nonce.data(), nonce.size(),
                    script.fails == Step::kNonce) &&
         set_octets(parameters, OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size(), script.fails == Step::kTag);
}

int set_context_params(void*, const OSSL_PARAM[]) { return 1; }

int get_params(OSSL_PARAM parameters[]) {
  const auto set = [&](const char* name, size_t value) {
    OSSL_PARAM* wanted = OSSL_PARAM_locate(parameters, name);
    return wanted == nullptr || OSSL_PARAM_set_size_t(wanted, value) == 1;
  };
  OSSL_PARAM* mode = OSSL_PARAM_locate(parameters, OSSL_CIPHER_PARAM_MODE);
  if (mode != nullptr) OSSL_PARAM_set_uint(mode, EVP_CIPH_GCM_MODE);
  for (const char* flag : {OSSL_CIPHER_PARAM_AEAD, OSSL_CIPHER_PARAM_CUSTOM_IV}) {
    OSSL_PARAM* wanted = OSSL_PARAM_locate(parameters, flag);
    if (wanted != nullptr) OSSL_PARAM_set_int(wanted, 1);
  }
  return set(OSSL_CIPHER_PARAM_KEYLEN, kAesKeySize) && set(OSSL_CIPHER_PARAM_IVLEN, kNonceSize) &&
         set(OSSL_CIPHER_PARAM_BLOCK_SIZE, 1);
}

template <class Function>
void (*erased(Function* function))() {
  return reinterpret_cast<void (*)()>(function);
}

const OSSL_DISPATCH kCipher[] = {{OSSL_FUNC_CIPHER_NEWCTX, erased(new_context)},
                                 {OSSL_FUNC_CIPHER_FREECTX, erased(free_context)},
                                 {OSSL_FUNC_CIPHER_DUPCTX, erased(copy_context)},
                                 {OSSL_FUNC_CIPHER_ENCRYPT_INIT, erased(init)},
                                 {OSSL_FUNC_CIPHER_DECRYPT_INIT, erased(init)},
                                 {OSSL_FUNC_CIPHER_UPDATE, erased(update)},
                                 {OSSL_FUNC_CIPHER_FINAL, erased(final)},
                                 {OSSL_FUNC_CIPHER_GET_PARAMS, erased(get_params)},
                                 {OSSL_FUNC_CIPHER_GET_CTX_PARAMS, erased(get_context_params)},
                                 {OSSL_FUNC_CIPHER_SET_CTX_PARAMS, erased(set_context_params)},
                                 OSSL_DISPATCH_END};
const OSSL_ALGORITHM kCiphers[] = {{"AES-256-GCM", "provider=fake", kCipher, nullptr},
                                   {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  return operation == OSSL_OP_CIPHER ? kCiphers : nullptr;
}

const OSSL_DISPATCH kProvider[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, erased(query)}, OSSL_DISPATCH_END};

int start_provider(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context) {
  *out = kProvider;
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);
  return 1;
}

// FakeLibrary serves AES-256-GCM from that provider and the rest from the default one.
class FakeLibrary final : public Library {
 public:
  FakeLibrary() : context_(OSSL_LIB_CTX_new()) {
    EXPECT_EQ(OSSL_PROVIDER_add_builtin(context_.get(), "fake", start_provider), 1);
    provider_.reset(OSSL_PROVIDER_load(context_.get(), "fake"));
    fetched_.aes_256_gcm.reset(EVP_CIPHER_fetch(context_.get(), "AES-256-GCM", nullptr));
    EXPECT_TRUE(fetched_.aes_256_gcm);
  }
  FipsState fips_state() const override { return real_.fips_state(); }
  const std::string& fips_detail() const override { return real_.fips_detail(); }
  const std::string& version() const override { return real_.version(); }
  const std::string& provider() const override { return real_.provider(); }
  const std::vector<EngineInfo>& engines() const override { return real_.engines(); }
  bool memory_locked() const override { return real_.memory_locked(); }
  SecureHeap secure_heap() const override { return real_.secure_heap(); }
  bool has(Algorithm algorithm) const override { return real_.has(algorithm); }
  Serving serving(Algorithm algorithm) const override { return real_.serving(algorithm); }
  std::string provider_of(const char* name) const override { return real_.provider_of(name); }
  Result<> random(MutableBytes out) const override {
    if (random_fails) return fail(Status::kCryptoError, "no entropy");
    return real_.random(out);
  }
  Result<> random_secret(MutableBytes out) const override { return real_.random_secret(out); }
  ossl_lib_ctx_st* context() const override { return context_.get(); }
  const Fetched& fetched() const override { return fetched_; }

  bool random_fails = false;

 private:
  const Library& real_ = library_in(FipsMode::kOff);
  LibCtxHandle context_;
  ProviderHandle provider_;
  Fetched fetched_;
};

class AeadFailure : public testing::TestWithParam<NonceMode> {
 protected:
  AeadFailure() { script = {}; }

  std::unique_ptr<AeadSealer> sealer() {
    auto made = AeadSealer::create(library_, pattern(kAesKeySize), GetParam());
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }

  // Seals with outputs that hold something before.
  Status seal(AeadSealer& sealer) {
    ciphertext_ = pattern(plaintext_.size(), 9);
    nonce_.fill(std::byte{0xaa});
    tag_.fill(std::byte{0xaa});
    return status_of(
        sealer.seal(UntrustedBytes(as_bytes("aad")), UntrustedBytes(Bytes(plaintext_)), ciphertext_, nonce_, tag_));
  }
  bool outputs_wiped() const { return all_zero(ciphertext_) && all_zero(nonce_) && all_zero(tag_); }

  FakeLibrary library_;
  const Octets plaintext_ = pattern(64);
  Octets ciphertext_;
  Nonce nonce_{};
  Tag tag_{};
};

INSTANTIATE_TEST_SUITE_P(, AeadFailure, testing::Values(NonceMode::kCounter, NonceMode::kRandom),
                         [](const auto& info) { return info.param == NonceMode::kCounter ? "Counter" : "Random"; });

TEST_P(AeadFailure, AtEveryStepWipesCiphertextNonceAndTag) {
  const auto sealing = sealer();
  ASSERT_EQ(seal(*sealing), Status::kSuccess);
  for (const Step step : {Step::kNonce, Step::kAad, Step::kData, Step::kFinal, Step::kTag, Step::kShortOutput}) {
    script.fails = step;
    EXPECT_EQ(seal(*sealing), Status::kCryptoError) << static_cast<int>(step);
    EXPECT_TRUE(outputs_wiped()) << static_cast<int>(step);
    EXPECT_EQ(ERR_peek_error(), 0u);
    script.fails = Step::kNone;
    EXPECT_EQ(seal(*sealing), Status::kSuccess) << "the next message works";
  }
}

TEST_P(AeadFailure, OfTheRandomGeneratorMakesNoCounter) {
  library_.random_fails = true;
  const auto made = AeadSealer::create(library_, pattern(kAesKeySize), GetParam());
  EXPECT_EQ(made.has_value(), GetParam() == NonceMode::kRandom) << "random nonces are drawn inside the provider";
}

class AeadCounter : public AeadFailure {};
INSTANTIATE_TEST_SUITE_P(, AeadCounter, testing::Values(NonceMode::kCounter), [](const auto&) { return "Counter"; });

TEST_P(AeadCounter, GivesTheNonceOfAFailedMessageToNoOther) {
  const auto sealing = sealer();
  ASSERT_EQ(seal(*sealing), Status::kSuccess);
  const Nonce first = nonce_;
  script.fails = Step::kFinal;
  ASSERT_EQ(seal(*sealing), Status::kCryptoError);
  script.fails = Step::kNone;
  ASSERT_EQ(seal(*sealing), Status::kSuccess);
  EXPECT_EQ(std::to_integer<int>(nonce_.back()), std::to_integer<int>(first.back()) + 2);
}

TEST_P(AeadCounter, RefusesAProviderThatRepeatsNonces) {
  for (const uint64_t step : {uint64_t{0}, ~uint64_t{0}}) {
    script.counter_step = 1;
    const auto sealing = sealer();
    ASSERT_EQ(seal(*sealing), Status::kSuccess);
    script.counter_step = step;
    ASSERT_EQ(seal(*sealing), Status::kSuccess) << "this one still moves on";
    EXPECT_EQ(seal(*sealing), Status::kCryptoError);
    EXPECT_TRUE(outputs_wiped());
    script.counter_step = 1;
    EXPECT_EQ(seal(*sealing), Status::kCryptoError) << "and never again";
  }
}

}  // namespace
}  // namespace wvds::crypto
