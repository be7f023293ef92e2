// wvds.so, the module that programs load: what it exports and needs, and processes that are forked with loaded keys.

#include <openssl/provider.h>
#include <openssl/store.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <regex>
#include <set>
#include <sstream>

#include "ossl_provider/provider_bed.h"

namespace wvds::test {
namespace {

using LibCtx = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
using Store = Handle<OSSL_STORE_CTX, OSSL_STORE_close>;
using StoreInfo = Handle<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  char part[4096];
  while (pipe && fgets(part, sizeof part, pipe.get()) != nullptr) output += part;
  return output;
}

TEST(OsslProviderModule, ExportsItsEntryPointOnly) {
  std::istringstream lines(output_of(NM " -D --defined-only " WVDS_MODULE));
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(line.find_last_of(' ') + 1);
    if (!name.starts_with("__") && !name.starts_with("_Z")) names.insert(name);  // a sanitizer's own
  }
  EXPECT_EQ(names, std::set<std::string>{"OSSL_provider_init"});
}

// Debian 12's programs have OpenSSL 3.0: the module must not need more.
TEST(OsslProviderModule, NeedsNothingOfOpenSslThatCameAfter3Point0) {
  const std::string needed = output_of(NM " -D --undefined-only " WVDS_MODULE);
  EXPECT_NE(needed.find("OSSL_LIB_CTX_new_child@OPENSSL_3.0.0"), std::string::npos) << needed;
  EXPECT_EQ(needed.find("@OPENSSL_3.1"), std::string::npos) << needed;
  static const std::regex kLater("@OPENSSL_(3\\.[1-9]|3\\.0\\.[1-9]|[4-9])");
  EXPECT_FALSE(std::regex_search(needed, kLater)) << needed;
}

// A program that loads the module from its file
class OsslProviderModuleInUse : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(service.start());
    own.reset(OSSL_PROVIDER_load(program.get(), "default"));
    module.reset(OSSL_PROVIDER_load(program.get(), WVDS_MODULE));
    ASSERT_TRUE(own && module) << errors_now();
  }

  Pkey load(const std::string& uri) {
    const Store store(
        OSSL_STORE_open_ex(uri.c_str(), program.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
    const StoreInfo info(store ? OSSL_STORE_load(store.get()) : nullptr);
    Pkey key(info ? OSSL_STORE_INFO_get1_PKEY(info.get()) : nullptr);
    EXPECT_TRUE(key) << errors_now();
    return key;
  }

  bool signs(const Pkey& key) {
    const MdCtx signer(EVP_MD_CTX_new());
    unsigned char signature[WVDS_MLDSA_MAX_SIGNATURE_SIZE];
    size_t length = sizeof signature;
    const unsigned char message[] = {'m'};
    return EVP_DigestSignInit_ex(signer.get(), nullptr, nullptr, program.get(), nullptr, key.get(), nullptr) == 1 &&
           EVP_DigestSign(signer.get(), signature, &length, message, sizeof message) == 1;
  }

  // in_child runs `body` in a forked process, and tells whether it was true there.
  template <class Body>
  static bool in_child(Body&& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body() ? 0 : 1);
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  LibCtx program{OSSL_LIB_CTX_new()};
  ossl_provider::LoadedProvider own, module;
  Daemon service;
};

TEST_F(OsslProviderModuleInUse, ForkedProcessesSignWithSessionsOfTheirOwn) {
  const Pkey key = load(uri_of(service, make_key(service, WVDS_MLDSA_65)));
  ASSERT_TRUE(signs(key));
  EXPECT_TRUE(in_child([&] { return signs(key) && signs(key) && in_child([&] { return signs(key); }) && signs(key); }));
  EXPECT_TRUE(signs(key)) << "the parent's session must not have been touched: " << errors_now();
}

TEST_F(OsslProviderModuleInUse, TellsItsNameAndVersion) {
  const ossl_provider::LoadedProvider loaded(OSSL_PROVIDER_load(program.get(), WVDS_MODULE));
  OSSL_PROVIDER* provider = loaded.get();
  const char* name = "";
  const char* version = "";
  int status = 0;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr("name", const_cast<char**>(&name), 0),
                         OSSL_PARAM_construct_utf8_ptr("version", const_cast<char**>(&version), 0),
                         OSSL_PARAM_construct_int("status", &status), OSSL_PARAM_construct_end()};
  ASSERT_EQ(OSSL_PROVIDER_get_params(provider, params), 1);
  EXPECT_STREQ(name, "WvdS Crypto Service");
  EXPECT_STREQ(version, wvds_library_version());
  EXPECT_EQ(status, 1);
}

// Whoever asks for a public key gets one: it verifies, and has no private part.
TEST_F(OsslProviderModuleInUse, ThePublicKeyCanBeAskedFor) {
  const std::string uri = uri_of(service, make_key(service, WVDS_ECDSA_P256, WVDS_USAGE_VERIFY));
  const Store store(
      OSSL_STORE_open_ex(uri.c_str(), program.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  ASSERT_EQ(OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PUBKEY), 1);
  const StoreInfo info(OSSL_STORE_load(store.get()));
  ASSERT_TRUE(info) << errors_now();
  EXPECT_EQ(OSSL_STORE_INFO_get_type(info.get()), OSSL_STORE_INFO_PUBKEY);
  EXPECT_TRUE(OSSL_STORE_eof(store.get()));
}

TEST_F(OsslProviderModuleInUse, ACertificateIsNotThere) {
  const std::string uri = uri_of(service, make_key(service, WVDS_ECDSA_P256));
  const Store store(
      OSSL_STORE_open_ex(uri.c_str(), program.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  ASSERT_EQ(OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_CERT), 1);
  const StoreInfo info(OSSL_STORE_load(store.get()));
  EXPECT_FALSE(info);
  EXPECT_TRUE(OSSL_STORE_eof(store.get()));
}

}  // namespace
}  // namespace wvds::test
