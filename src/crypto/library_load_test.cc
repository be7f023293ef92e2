// How the library loads when things are wrong. A FIPS module that failed a self-test stays in its error state for the
// life of the process, so each load runs in a process of its own (GoogleTest's threadsafe death tests start the test
// program anew).

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/self_test.h>

#include <array>
#include <fstream>
#include <iostream>
#include <sstream>

#include "crypto/mldsa.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr const char* kModules = WVDS_TEST_MODULES_DIR;
constexpr const char* kConfig = WVDS_TEST_FIPS_CONFIG;

[[noreturn]] void finish(bool right, const std::string& text) {
  std::cerr << text << std::endl;
  std::_Exit(right ? 0 : 1);  // locals and LeakSanitizer are left out: what is tested ends here
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string write_file(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

// A configuration whose module-mac has one other digit.
std::string wrong_mac_config() {
  std::string text = read_file(kConfig);
  const size_t digit = text.find("module-mac = ") + std::string_view("module-mac = ").size();
  text[digit] = text[digit] == '0' ? '1' : '0';
  return write_file("wvds_wrong_mac.cnf", text);
}

LibraryConfig config_of(FipsMode mode, const std::string& modules, const std::string& config) {
  LibraryConfig made;
  made.fips = mode;
  made.modules_dir = modules;
  made.fips_config = config;
  return made;
}

// expect_refusal ends the process with 0 when `mode` refuses to load and the detail names the file and the cure.
[[noreturn]] void expect_refusal(const std::string& modules, const std::string& config, const std::string& named) {
  const auto loaded = Library::load(config_of(FipsMode::kRequired, modules, config));
  if (loaded) finish(false, "it loaded");
  const std::string& detail = loaded.error().detail;
  const bool helps = detail.find(named) != std::string::npos && detail.find("openssl fipsinstall") != std::string::npos;
  finish(helps && loaded.error().status == Status::kCryptoError, detail);
}

[[noreturn]] void expect_fallback(const std::string& modules, const std::string& config) {
  const auto loaded = Library::load(config_of(FipsMode::kPreferred, modules, config));
  if (!loaded) finish(false, loaded.error().detail);
  const Library& library = **loaded;
  Octets random(16);
  finish(library.fips_state() == FipsState::kUnavailable && library.provider_of("AES-256-GCM") == "default" &&
             library.random(random).has_value(),
         library.fips_detail());
}

class LibraryLoad : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

using LibraryLoadDeathTest = LibraryLoad;

TEST_F(LibraryLoadDeathTest, RequiredRefusesAMissingModule) {
  EXPECT_EXIT(expect_refusal("/nonexistent", kConfig, "/nonexistent/fips.so"), testing::ExitedWithCode(0),
              "cannot open shared object file");
}

TEST_F(LibraryLoadDeathTest, RequiredRefusesAMissingConfiguration) {
  EXPECT_EXIT(expect_refusal(kModules, "/nonexistent/fipsmodule.cnf", "/nonexistent/fipsmodule.cnf"),
              testing::ExitedWithCode(0), "the configuration can't be read");
}

TEST_F(LibraryLoadDeathTest, RequiredRefusesAConfigurationWithoutItsSection) {
  const std::string path = write_file("wvds_no_section.cnf", "[other]\nactivate = 1\n");
  EXPECT_EXIT(expect_refusal(kModules, path, path), testing::ExitedWithCode(0), "no section \\[fips_sect\\]");
}

TEST_F(LibraryLoadDeathTest, RequiredRefusesABrokenConfigurationAndNamesTheLine) {
  const std::string path = write_file("wvds_broken.cnf", "[fips_sect]\nno equals sign\n");
  EXPECT_EXIT(expect_refusal(kModules, path, path), testing::ExitedWithCode(0), "at line 2");
}

TEST_F(LibraryLoadDeathTest, RequiredRefusesAConfigurationWithoutAChecksum) {
  const std::string path = write_file("wvds_no_mac.cnf", "[fips_sect]\nactivate = 1\ninstall-version = 1\n");
  EXPECT_EXIT(expect_refusal(kModules, path, path), testing::ExitedWithCode(0), "self-test failed");
}

TEST_F(LibraryLoadDeathTest, RequiredRefusesAModuleThatDoesNotMatchItsChecksum) {
  const std::string path = wrong_mac_config();
  EXPECT_EXIT(expect_refusal(kModules, path, path), testing::ExitedWithCode(0), "module integrity failure");
}

TEST_F(LibraryLoadDeathTest, PreferredFallsBackAndSaysWhy) {
  EXPECT_EXIT(expect_fallback("/nonexistent", kConfig), testing::ExitedWithCode(0), "/nonexistent/fips.so");
  const std::string path = wrong_mac_config();
  EXPECT_EXIT(expect_fallback(kModules, path), testing::ExitedWithCode(0), "module integrity failure");
}

[[noreturn]] void expect_active(FipsMode mode) {
  const auto loaded = Library::load(config_of(mode, kModules, kConfig));
  if (!loaded) finish(false, loaded.error().detail);
  finish((*loaded)->fips_state() == FipsState::kActive, (*loaded)->provider());
}

TEST_F(LibraryLoadDeathTest, PreferredTakesFipsWhereItIs) {
  EXPECT_EXIT(expect_active(FipsMode::kPreferred), testing::ExitedWithCode(0), "OpenSSL FIPS Provider");
}

// The environment: a configuration that makes itself noticed by a new object name.
std::string marker_config() {
  return write_file("wvds_marker.cnf",
                    "openssl_conf = start\n[start]\noid_section = oids\n[oids]\nwvdsMarker = 1.2.3.4.5\n");
}

bool marker_is_known() {
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  return OBJ_txt2nid("wvdsMarker") != NID_undef;
}

void set_hostile_environment() {
  setenv("OPENSSL_CONF", marker_config().c_str(), 1);
  setenv("OPENSSL_MODULES", "/nonexistent", 1);
}

TEST_F(LibraryLoadDeathTest, TheEnvironmentWouldReachAProgramThatDoesNotPreventIt) {
  EXPECT_EXIT((set_hostile_environment(), finish(marker_is_known(), "read")), testing::ExitedWithCode(0), "read");
}

[[noreturn]] void expect_ignored_environment() {
  set_hostile_environment();
  const auto loaded = Library::load(config_of(FipsMode::kRequired, kModules, kConfig));
  if (!loaded) finish(false, loaded.error().detail);
  LockedBytes seed;
  const auto key = MlDsaPrivateKey::generate(**loaded, Algorithm::kMlDsa44, seed);
  finish(key.has_value() && !marker_is_known(), "ignored");
}

TEST_F(LibraryLoadDeathTest, TheEnvironmentsConfigurationAndModulesAreIgnored) {
  EXPECT_EXIT(expect_ignored_environment(), testing::ExitedWithCode(0), "ignored");
}

// corrupt makes the self-tests of the running module fail.
int corrupt(const OSSL_PARAM parameters[], void*) {
  const OSSL_PARAM* phase = OSSL_PARAM_locate_const(parameters, OSSL_PROV_PARAM_SELF_TEST_PHASE);
  const char* name = nullptr;
  const bool is_corrupt_phase = phase != nullptr && OSSL_PARAM_get_utf8_string_ptr(phase, &name) == 1 &&
                                std::string_view(name) == OSSL_SELF_TEST_PHASE_CORRUPT;
  return is_corrupt_phase ? 0 : 1;
}

[[noreturn]] void expect_closed_after_failed_self_test() {
  const auto loaded = Library::load(config_of(FipsMode::kRequired, kModules, kConfig));
  if (!loaded) finish(false, loaded.error().detail);
  const Library& library = **loaded;
  OSSL_SELF_TEST_set_callback(library.context(), corrupt, nullptr);
  OSSL_PROVIDER* module = OSSL_PROVIDER_load(library.context(), "fips");
  const bool failed = OSSL_PROVIDER_self_test(module) == 0;
  LockedBytes seed;
  Octets random = pattern(16);
  const bool closed =
      !library.random(random) && all_zero(random) && !MlDsaPrivateKey::generate(library, Algorithm::kMlDsa44, seed);
  finish(failed && closed && library.fips_state() == FipsState::kUnavailable, library.fips_detail());
}

TEST_F(LibraryLoadDeathTest, AModuleWhoseSelfTestFailsLaterServesNothingMore) {
  EXPECT_EXIT(expect_closed_after_failed_self_test(), testing::ExitedWithCode(0), "in its error state");
}

[[noreturn]] void expect_invalid_heap(size_t bytes) {
  LibraryConfig config;
  config.secure_heap_bytes = bytes;
  const auto loaded = Library::load(config);
  finish(status_of(loaded) == Status::kInvalidPayload, why(loaded));
}

TEST_F(LibraryLoadDeathTest, RefusesASecureHeapThatIsNoPowerOfTwoOrTooSmall) {
  EXPECT_EXIT(expect_invalid_heap(3 << 20), testing::ExitedWithCode(0), "power of two");
  EXPECT_EXIT(expect_invalid_heap(64 << 10), testing::ExitedWithCode(0), "power of two");
}

}  // namespace
}  // namespace wvds::crypto
