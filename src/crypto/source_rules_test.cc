// Rules of the source text that no compiler holds: how nonces and OpenSSL's fetches may be used, and how secrets may be
// compared.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace wvds::crypto {
namespace {

using Sources = std::map<std::string, std::string>;  // path relative to the project, text without comments

std::string without_comments(std::string_view text) {
  std::string code;
  while (!text.empty()) {
    const size_t comment = text.find("//");
    code += text.substr(0, comment);
    text.remove_prefix(std::min(comment, text.size()));
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  return code;
}

bool is_delivered(const std::string& path) {
  static const std::regex kTestLike(R"((.*_(test|fuzz|bench)\.(cc|c|h))|(.*/testing/.*))");
  return !std::regex_match(path, kTestLike);
}

Sources read_delivered_sources() {
  Sources found;
  const std::filesystem::path root = WVDS_SOURCE_DIR;
  for (const char* top : {"src", "include", "tools", "examples"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
      const std::string path = entry.path().lexically_relative(root).string();
      const std::string kind = entry.path().extension().string();
      if ((kind != ".cc" && kind != ".c" && kind != ".h") || !is_delivered(path)) continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      found[path] = without_comments(text.str());
    }
  }
  return found;
}

// delivered_sources is every source file that goes into a program or library we ship.
const Sources& delivered_sources() {
  static const Sources sources = read_delivered_sources();
  return sources;
}

struct Use {
  std::string path;
  std::string text;
};

// What every pattern here looks for begins with one of these. A regular expression takes long over all sources.
bool names_openssl(const std::string& text) {
  const auto is_in = [&](const char* prefix) { return text.find(prefix) != std::string::npos; };
  return std::ranges::any_of(std::array{"EVP_", "RAND_", "OSSL_", "CRYPTO_", "PEM_", "d2i_"}, is_in);
}

template <class Wanted>
std::vector<Use> uses_in(const Sources& sources, const std::string& pattern, Wanted may_have_it) {
  std::vector<Use> uses;
  const std::regex wanted(pattern);
  for (const auto& [path, text] : sources) {
    if (!may_have_it(text)) continue;
    for (std::sregex_iterator at(text.begin(), text.end(), wanted), end; at != end; ++at)
      uses.push_back({path, at->str()});
  }
  return uses;
}

std::vector<Use> uses_in(const Sources& sources, const std::string& pattern) {
  return uses_in(sources, pattern, names_openssl);
}

// comparisons_in finds what compares bytes and ends at the first difference, where it is given a secret, and all
// memcmp.
std::vector<Use> comparisons_in(const Sources& sources) {
  return uses_in(
      sources,
      R"(\bmemcmp\s*\(|\b(ranges::|std::)(equal|mismatch|lexicographical_compare)\s*\([^;]*expose\(|expose\(\)\s*[!=]=)",
      [](const std::string& text) {
        return text.find("memcmp") != std::string::npos || text.find("expose()") != std::string::npos;
      });
}

std::string listed(const std::vector<Use>& uses) {
  std::string text;
  for (const Use& use : uses) text += use.path + ": " + use.text + "\n";
  return text;
}

constexpr const char* kEncryptInit = R"(EVP_EncryptInit\w*\s*\([^;{]*?nullptr, nullptr\))";
constexpr const char* kAnyEncryptInit = R"(EVP_(Encrypt|Cipher|Seal)Init\w*)";

TEST(SourceRules, EncryptionIsInitialisedInOnePlaceWithoutANonce) {
  const Sources& sources = delivered_sources();
  ASSERT_TRUE(sources.contains("src/crypto/aead.cc"));
  const auto all = uses_in(sources, kAnyEncryptInit);
  ASSERT_EQ(all.size(), 1u) << listed(all);
  EXPECT_EQ(all[0].path, "src/crypto/aead.cc");
  EXPECT_EQ(uses_in(sources, kEncryptInit).size(), 1u) << "the call passes something for the nonce";
}

// The other ways to give a context a nonce, or to give two contexts the same one
TEST(SourceRules, NoOtherCallSetsANonceForEncryption) {
  const Sources& sources = delivered_sources();
  const auto set = uses_in(sources,
                           "EVP_CTRL_(GCM_SET_IV_INV|GCM_SET_IVLEN|AEAD_SET_IVLEN|CCM_SET\\w*|AEAD_TLS1_AAD)|"
                           "OSSL_CIPHER_PARAM_(IV|IVLEN|AEAD_IVLEN|AEAD_TLS1_\\w*)|EVP_AEAD_\\w*|CRYPTO_gcm128_\\w*");
  EXPECT_TRUE(set.empty()) << listed(set);
  const auto fixed = uses_in(sources, "EVP_CTRL_(AEAD|GCM)_SET_IV_FIXED");
  EXPECT_EQ(fixed.size(), 1u) << listed(fixed);
  const auto copies = uses_in(sources, "EVP_CIPHER_CTX_(copy|dup)[^;]*");
  ASSERT_EQ(copies.size(), 1u) << listed(copies);
  EXPECT_NE(copies[0].text.find("working_.get(), keyed_.get()"), std::string::npos)
      << "only a context without a nonce is copied";
}

TEST(SourceRules, NothingUsesTheDefaultLibraryContext) {
  const Sources& sources = delivered_sources();
  const auto implicit = uses_in(
      sources,
      R"(\b(RAND_(priv_)?bytes|EVP_PKEY_Q_keygen|EVP_PKEY_keygen|EVP_(aes|sha|get_cipher|get_digest)\w*|d2i_\w*PrivateKey|PEM_read_bio_PrivateKey)\s*\()");
  std::vector<Use> ours;
  for (const Use& use : implicit) {
    if (use.path.starts_with("src/crypto/") || use.path.starts_with("src/keystore/") ||
        use.path.starts_with("src/service/")) {
      ours.push_back(use);
    }
  }
  EXPECT_TRUE(ours.empty()) << listed(ours);
  const auto null_fetch = uses_in(sources, R"(EVP_\w+_fetch\s*\(\s*(nullptr|NULL))");
  EXPECT_TRUE(null_fetch.empty()) << listed(null_fetch);
}

// But for the passphrase's derivation, which runs once, when the store is opened, and for hashes of programs that load
// the OpenSSL provider, which are what each caller asks for.
TEST(SourceRules, AlgorithmsAreFetchedAtLoadOnly) {
  for (const Use& use : uses_in(delivered_sources(), R"(EVP_\w+_fetch\s*\()")) {
    EXPECT_TRUE(use.path == "src/crypto/fetched.cc" || use.path == "src/crypto/library.cc" ||
                use.path == "src/crypto/engine.cc" || use.path == "src/crypto/l4re/argon2id.cc" ||
                use.path == "src/ossl_provider/delegate.cc")
        << use.path << ": " << use.text;
  }
}

// Secrets, tags and MACs are compared by crypto::equal_constant_time. What memcmp is there for is public: a region's
// header, magic bytes, fingerprints and public keys, and what the L4Re example has just opened itself.
TEST(SourceRules, SecretsAreComparedInConstantTimeOnly) {
  for (const Use& use : comparisons_in(delivered_sources())) {
    EXPECT_TRUE(use.path == "src/channel/layout.cc" || use.path == "examples/backend/open_envelope.c" ||
                use.path == "examples/backend/senders.c" || use.path == "examples/envelope/envelope.c" ||
                use.path == "examples/oem_gateway/l4re/main.c")
        << use.path << ": " << use.text;
  }
}

// The patterns above find what they are for.
TEST(SourceRules, FindAViolation) {
  const Sources bad = {{"a.cc", "EVP_EncryptInit_ex2(c, NULL, NULL, iv, NULL); EVP_CipherInit_ex(c, 0, 0, k, iv, 1);"}};
  EXPECT_EQ(uses_in(bad, kAnyEncryptInit).size(), 2u);
  EXPECT_EQ(uses_in(bad, kEncryptInit).size(), 0u);
  const Sources leaky = {{"a.cc", "if (std::memcmp(a, b, 16) != 0) return;"},
                         {"b.cc", "return std::ranges::equal(again.expose(), key.expose());"},
                         {"c.cc", "return equal_constant_time(again.expose(), key.expose());"}};
  EXPECT_EQ(comparisons_in(leaky).size(), 2u);
}

}  // namespace
}  // namespace wvds::crypto
