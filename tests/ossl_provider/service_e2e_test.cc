// What the service says and does reaches OpenSSL: keys that are missing, gone, rotated or not for that; a service that
// restarts, or leaves FIPS; threads and limits.

#include <openssl/err.h>

#include <atomic>
#include <thread>

#include "ossl_provider/provider_bed.h"

namespace wvds::test {
namespace {

using crypto::FipsMode;

DaemonOptions with_fips(const char* fips) {
  DaemonOptions options;
  options.fips = fips;
  return options;
}

DaemonOptions with_client(const std::string& members) {
  DaemonOptions options;
  options.clients = R"({"name": "tester", "uid": )" + std::to_string(getuid()) + ", " + members + "}";
  return options;
}

// load_error is the error of a key that must not load.
Error load_error(const Program& program, const std::string& uri) {
  const auto loaded = ossl_provider::load_key(program.context(), uri);
  EXPECT_FALSE(loaded) << uri;
  EXPECT_EQ(ERR_peek_error(), 0ul);
  return loaded ? Error{Status::kSuccess, {}} : loaded.error();
}

Pkey load(const Program& program, const Daemon& service, uint32_t key) {
  auto loaded = ossl_provider::load_key(program.context(), uri_of(service, key));
  EXPECT_TRUE(loaded) << loaded.error().detail;
  return loaded ? std::move(*loaded) : nullptr;
}

// sign_error is what the queue holds after a signature that must fail.
std::string sign_error(const Program& program, const Pkey& key, wvds_algorithm algorithm) {
  EXPECT_TRUE(sign_message(program, key.get(), algorithm, "m").empty());
  return errors_now();
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// ---- Loading

TEST(OsslProviderService, SaysWhichKeysCanNotBeLoadedAndWhy) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  const uint32_t verifying = make_key(service, WVDS_MLDSA_65, WVDS_USAGE_VERIFY);
  EXPECT_EQ(load_error(program, "wvds:key=none").status, Status::kInvalidArgument);
  EXPECT_EQ(load_error(program, uri_of(service, 4711)).status, Status::kKeyNotFound);
  EXPECT_EQ(load_error(program, uri_of(service, make_key(service, WVDS_AES_256_GCM))).status, Status::kWrongKeyType);
  EXPECT_EQ(load_error(program, uri_of(service, make_key(service, WVDS_MLKEM_768))).status, Status::kWrongKeyType);
  EXPECT_EQ(load_error(program, uri_of(service, verifying)).status, Status::kWrongKeyUsage);
  const Error nobody = load_error(program, "wvds:key=1;socket=" + service.path("nobody"));
  EXPECT_EQ(nobody.status, Status::kConnectFailed);
  EXPECT_TRUE(holds(nobody.detail, service.path("nobody"))) << nobody.detail;
  EXPECT_TRUE(holds(nobody.detail, "Check that it runs")) << nobody.detail;
}

TEST(OsslProviderService, LoadingTakesTheRightsToKnowAKey) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  const uint32_t key = make_key(service, WVDS_MLDSA_44);
  service.stop();
  service.configure(with_client(R"("operations": ["key-public", "mldsa-sign"])"));
  ASSERT_TRUE(service.start());
  const Error denied = load_error(program, uri_of(service, key));
  EXPECT_EQ(denied.status, Status::kDenied);
  EXPECT_TRUE(holds(denied.detail, "key-info")) << denied.detail;
  service.stop();
  service.configure(with_client(R"("operations": ["key-public", "key-info"])"));
  ASSERT_TRUE(service.start());
  EXPECT_TRUE(holds(sign_error(program, load(program, service, key), WVDS_MLDSA_44), "mldsa-sign"));
}

// ---- A key's life

TEST(OsslProviderService, ADeletedKeySignsNoMore) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  const uint32_t id = make_key(service, WVDS_ECDSA_P256);
  const Pkey key = load(program, service, id);
  EXPECT_FALSE(sign_message(program, key.get(), WVDS_ECDSA_P256, "m").empty());
  EXPECT_EQ(wvds_key_delete(Connection(service).get(), id, 0), WVDS_SUCCESS);
  EXPECT_TRUE(holds(sign_error(program, key, WVDS_ECDSA_P256), "KEY_NOT_FOUND"));
}

TEST(OsslProviderService, ARotatedKeyIsNotUsedWithItsOldCertificate) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_65, WVDS_ECDSA_P384}) {
    const uint32_t id = make_key(service, algorithm);
    const Pkey before = load(program, service, id);
    uint32_t version = 0;
    EXPECT_EQ(wvds_key_rotate(Connection(service).get(), &version, nullptr, nullptr, 0, id), WVDS_SUCCESS);
    const std::string error = sign_error(program, before, algorithm);
    EXPECT_TRUE(holds(error, "was rotated after it was loaded")) << error;
    const Pkey after = load(program, service, id);
    const Octets signature = sign_message(program, after.get(), algorithm, "m");
    EXPECT_TRUE(verifies(program, own_public_key(program, after.get()).get(), algorithm, "m", signature));
    EXPECT_EQ(EVP_PKEY_eq(before.get(), after.get()), 0);
  }
}

TEST(OsslProviderService, ARetiredKeySignsNoMore) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  const uint32_t id = make_key(service, WVDS_MLDSA_65);
  const Pkey key = load(program, service, id);
  EXPECT_EQ(wvds_key_retire(Connection(service).get(), id), WVDS_SUCCESS);
  EXPECT_TRUE(holds(sign_error(program, key, WVDS_MLDSA_65), "WRONG_KEY_USAGE"));
}

// ---- The service's life

TEST(OsslProviderService, LoadedKeysSurviveRestartsOfTheService) {
  const Program program(FipsMode::kRequired);
  Daemon service;
  ASSERT_TRUE(service.start());
  const Pkey key = load(program, service, make_key(service, WVDS_MLDSA_65));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_FALSE(sign_message(program, key.get(), WVDS_MLDSA_65, "m").empty()) << errors_now();
    restart == 0 ? service.kill() : static_cast<void>(service.stop());
    const std::string error = sign_error(program, key, WVDS_MLDSA_65);
    EXPECT_TRUE(holds(error, "CONNECT_FAILED")) << error;
    ASSERT_TRUE(service.start());
  }
  const Octets signature = sign_message(program, key.get(), WVDS_MLDSA_65, "m");
  EXPECT_TRUE(verifies(program, own_public_key(program, key.get()).get(), WVDS_MLDSA_65, "m", signature));
}

// What is idle when the service restarts has to connect anew without the program's seeing an error.
TEST(OsslProviderService, ARestartBetweenTwoSignaturesGoesUnnoticed) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  const Pkey key = load(program, service, make_key(service, WVDS_ECDSA_P256));
  EXPECT_FALSE(sign_message(program, key.get(), WVDS_ECDSA_P256, "m").empty());
  service.kill();
  ASSERT_TRUE(service.start());
  EXPECT_FALSE(sign_message(program, key.get(), WVDS_ECDSA_P256, "m").empty());
  EXPECT_EQ(errors_now(), "");
}

TEST(OsslProviderService, IsLoadedWithoutAService) {
  const Program program(FipsMode::kRequired);
  Daemon service;
  EXPECT_EQ(load_error(program, uri_of(service, 1)).status, Status::kConnectFailed);
  ASSERT_TRUE(service.start());
  EXPECT_TRUE(load(program, service, make_key(service, WVDS_MLDSA_65)));
}

// ---- FIPS

TEST(OsslProviderService, WhoDemandsFipsGetsNoKeyOfAServiceWithoutIt) {
  const Program demanding(FipsMode::kRequired);
  Daemon service(with_fips(kServiceWithoutFips));
  ASSERT_TRUE(service.start());
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_65, WVDS_ECDSA_P256}) {
    const uint32_t id = make_key(service, algorithm);
    const Error refused = load_error(demanding, uri_of(service, id));
    EXPECT_EQ(refused.status, Status::kUnsupported);
    EXPECT_TRUE(holds(refused.detail, "fips=yes")) << refused.detail;
  }
}

TEST(OsslProviderService, WhoDoesNotDemandFipsTakesWhatIsThere) {
  const Program program(FipsMode::kOff);
  Daemon service(with_fips(kServiceWithoutFips));
  ASSERT_TRUE(service.start());
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_65, WVDS_ECDSA_P256}) {
    const Pkey key = load(program, service, make_key(service, algorithm));
    EXPECT_FALSE(sign_message(program, key.get(), algorithm, "m").empty()) << errors_now();
  }
}

TEST(OsslProviderService, AServiceThatLeavesFipsMakesNoSignaturesForWhoDemandsIt) {
  const Program demanding(FipsMode::kRequired);
  Daemon service;
  ASSERT_TRUE(service.start());
  const uint32_t id = make_key(service, WVDS_MLDSA_65);
  const Pkey key = load(demanding, service, id);
  EXPECT_FALSE(sign_message(demanding, key.get(), WVDS_MLDSA_65, "m").empty());
  service.stop();
  service.configure(with_fips(kServiceWithoutFips));
  ASSERT_TRUE(service.start());
  const std::string error = sign_error(demanding, key, WVDS_MLDSA_65);
  EXPECT_TRUE(holds(error, "no longer served by OpenSSL's FIPS module")) << error;
  service.stop();
  service.configure({});
  ASSERT_TRUE(service.start());
  EXPECT_FALSE(sign_message(demanding, key.get(), WVDS_MLDSA_65, "m").empty()) << errors_now();
}

// A key that was loaded without the demand is not used where one operation has it.
TEST(OsslProviderService, OneOperationCanDemandFips) {
  const Program program(FipsMode::kOff);
  Daemon service(with_fips(kServiceWithoutFips));
  ASSERT_TRUE(service.start());
  const Pkey key = load(program, service, make_key(service, WVDS_MLDSA_65));
  const MdCtx signer(EVP_MD_CTX_new());
  EXPECT_NE(EVP_DigestSignInit_ex(signer.get(), nullptr, nullptr, program.context(), "fips=yes", key.get(), nullptr),
            1);
  EXPECT_TRUE(holds(errors_now(), "demands FIPS"));
}

// ---- Threads and limits

// A signature takes a session while it lasts: more threads than sessions wait for each other.
void sign_in_threads(const Program& program, const Daemon& service, wvds_algorithm algorithm, int rounds) {
  const Pkey key = load(program, service, make_key(service, algorithm));
  const Pkey own = own_public_key(program, key.get());
  std::atomic<int> valid = 0;
  std::vector<std::thread> threads;
  constexpr int kThreads = 8;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < rounds; ++round) {
        const std::string message = std::to_string(i) + " " + std::to_string(round);
        const Octets signature = sign_message(program, key.get(), algorithm, message);
        if (verifies(program, own.get(), algorithm, message, signature)) ++valid;
      }
      EXPECT_EQ(errors_now(), "");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(valid, kThreads * rounds);
}

TEST(OsslProviderService, ThreadsSignAtTheSameTime) {
  const Program program(FipsMode::kOff);
  Daemon service;
  ASSERT_TRUE(service.start());
  sign_in_threads(program, service, WVDS_MLDSA_44, 10);
  sign_in_threads(program, service, WVDS_ECDSA_P256, 50);
}

// make_key's session has ended for the client when the service has noticed it: reached() waits for that.
TEST(OsslProviderService, ThreadsShareTheSessionsThatTheServiceAllows) {
  const Program program(FipsMode::kOff);
  Daemon service(with_client(R"("operations": )" + all_operations() +
                             R"(, "limits": {"sessions": 2}, "rate_limit": {"requests_per_second": 0})"));
  ASSERT_TRUE(service.start());
  sign_in_threads(program, service, WVDS_ECDSA_P256, 20);
}

TEST(OsslProviderService, WaitsOutTheRateLimit) {
  const Program program(FipsMode::kOff);
  Daemon service(with_client(R"("operations": )" + all_operations() +
                             R"(, "rate_limit": {"requests_per_second": 100, "burst": 10, "cooldown_ms": 10})"));
  ASSERT_TRUE(service.start());
  const Pkey key = load(program, service, make_key(service, WVDS_ECDSA_P256));
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(sign_message(program, key.get(), WVDS_ECDSA_P256, "m").empty()) << errors_now();
}

}  // namespace
}  // namespace wvds::test
