#include "config/service_config.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

namespace wvds::config {
namespace {

class FakeUsers : public Users {
 public:
  std::optional<uint32_t> user_id(const std::string& name) const override {
    return name == "gateway" ? std::optional<uint32_t>(1001) : std::nullopt;
  }
  std::optional<uint32_t> group_id(const std::string& name) const override {
    return name == "clients" ? std::optional<uint32_t>(2001) : std::nullopt;
  }
};

const FakeUsers kUsers;

Vocabulary vocabulary() {
  Vocabulary words;
  words.operations = {"aes-encrypt", "aes-decrypt", "key-import"};
  words.users = &kUsers;
  words.modules = true;
  words.files = true;
  words.tokens = true;
  words.credentials = true;
  return words;
}

constexpr const char* kStore = R"("store": {"path": "/s", "protector": "file", "file": {"key_file": "/k"}})";
constexpr const char* kClients = R"("clients": [{"name": "a", "uid": 1, "operations": ["aes-encrypt"]}])";

// with_section is a config that is right but for `section`, which stands in line 2.
std::string with_section(const std::string& section) {
  return std::string("{\n") + section + ",\n" + kStore + ",\n" + kClients + "\n}\n";
}
// with_client is the same for the text inside the client's braces.
std::string with_client(const std::string& client) {
  return std::string("{\n") + kStore + ",\n\"clients\": [{" + client + "}]\n}\n";
}

// with_engine is a config with the text inside the braces of an engine.
std::string with_engine(const std::string& engine) { return with_section("\"engines\": [{" + engine + "}]"); }
constexpr const char* kEngine =
    R"("engines": [{"module": "/m", "algorithms": ["ML-DSA-44"], "properties": "provider=m"}])";

ServiceConfig loaded(const std::string& text) {
  auto config = load_service_config("c.json", text, vocabulary());
  EXPECT_TRUE(config.has_value()) << (config ? "" : config.error());
  return config ? *config : ServiceConfig{};
}

std::string refused(const std::string& text) {
  auto config = load_service_config("c.json", text, vocabulary());
  EXPECT_FALSE(config.has_value()) << text;
  return config ? "" : config.error();
}

TEST(ServiceConfig, NeedsOnlyStoreAndClients) {
  const ServiceConfig config = loaded(std::string("{") + kStore + "," + kClients + "}");
  EXPECT_EQ(config.store.path, "/s");
  EXPECT_EQ(config.store.file.value().key.file, "/k");
  EXPECT_EQ(config.fips.mode, Fips::kPreferred);
  EXPECT_EQ(config.rate_limit.requests_per_second, 1000u);
  EXPECT_EQ(config.rate_limit.burst, 100u);
  EXPECT_EQ(config.rate_limit.cooldown_ms, 100u);
  EXPECT_EQ(config.replay_window.capacity, 1'000'000u);
  EXPECT_EQ(config.keys.use_limit, 1ull << 32);
  EXPECT_EQ(config.nonces, Nonces::kCounter);
  ASSERT_EQ(config.clients.size(), 1u);
  EXPECT_EQ(config.clients[0].uid, 1u);
  EXPECT_FALSE(config.clients[0].gid.has_value());
}

TEST(ServiceConfig, ReadsEveryKey) {
  const ServiceConfig config = loaded(R"({
    "socket": {"path": "/run/x", "mode": "0666"},
    "store": {"path": "/s", "protector": "file", "file": {"passphrase_file": "/p"}},
    "fips": {"mode": "required", "modules_dir": "/m", "config": "/f.cnf"},
    "rate_limit": {"requests_per_second": 10, "burst": 5, "cooldown_ms": 7},
    "replay_window": {"capacity": 1000, "total_bytes": 1048576},
    "sessions": {"total": 3, "slots": 4},
    "keys": {"use_limit": 100, "rotate_at_percent": 90, "expanded_cache": 12},
    "nonce": "random",
    "locked_memory": {"mode": "required", "bytes": 1048576},
    "log_level": "debug",
    "clients": [
      {"name": "gw", "user": "gateway", "group": "clients", "operations": ["aes-encrypt", "key-import"],
       "keys": [{"id": 9, "usages": ["sign", "verify"], "context": "telemetry"}],
       "limits": {"sessions": 1, "session_keys": 2, "volatile_keys": 3, "persistent_keys": 4, "keys_per_minute": 5,
                  "store_bytes": 6, "window_bytes": 7},
       "rate_limit": {"burst": 6}}]})");
  EXPECT_EQ(config.socket.path, "/run/x");
  EXPECT_EQ(config.socket.mode, 0666u);
  EXPECT_EQ(config.store.file.value().passphrase.file, "/p");
  EXPECT_EQ(config.fips.mode, Fips::kRequired);
  EXPECT_EQ(config.fips.modules_dir, "/m");
  EXPECT_EQ(config.fips.config, "/f.cnf");
  EXPECT_EQ(config.replay_window.total_bytes, 1048576u);
  EXPECT_EQ(config.sessions.total, 3u);
  EXPECT_EQ(config.sessions.slots, 4u);
  EXPECT_EQ(config.keys.rotate_at_percent, 90u);
  EXPECT_EQ(config.keys.expanded_cache, 12u);
  EXPECT_EQ(config.nonces, Nonces::kRandom);
  EXPECT_EQ(config.locked_memory.mode, LockedMemory::kRequired);
  EXPECT_EQ(config.locked_memory.bytes, 1048576u);
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  const Client& client = config.clients.at(0);
  EXPECT_EQ(client.uid, 1001u);
  EXPECT_EQ(client.gid, 2001u);
  ASSERT_EQ(client.grants.size(), 1u);
  EXPECT_EQ(client.grants[0].id, 9u);
  EXPECT_EQ(client.grants[0].usages, Usage::kSign | Usage::kVerify);
  EXPECT_EQ(client.grants[0].context, "telemetry");
  EXPECT_EQ(client.limits.window_bytes, 7u);
  EXPECT_EQ(client.rate_limit.requests_per_second, 10u) << "what a client does not say is the service's own";
  EXPECT_EQ(client.rate_limit.burst, 6u);
}

TEST(ServiceConfig, TakesAModeAsAWord) {
  EXPECT_EQ(loaded(with_section(R"("fips": "off")")).fips.mode, Fips::kOff);
  EXPECT_EQ(loaded(with_section(R"("locked_memory": "required")")).locked_memory.mode, LockedMemory::kRequired);
}

TEST(ServiceConfig, GivesClientsALabelWhereThereAreNoUsers) {
  Vocabulary words = vocabulary();
  words.users = nullptr;
  const std::string text = std::string("{") + kStore + R"(,"clients": [{"name": "gw", "operations": []}]})";
  const auto config = load_service_config("c.json", text, words);
  ASSERT_TRUE(config.has_value()) << config.error();
  EXPECT_EQ(config->clients[0].label, "gw");
  const auto with_uid = load_service_config("c.json", std::string("{") + kStore + "," + kClients + "}", words);
  ASSERT_FALSE(with_uid.has_value());
  EXPECT_EQ(with_uid.error(),
            "c.json:1: clients[0].uid: unknown key; known are name, label, operations, keys, limits, rate_limit\n");
}

struct Refusal {
  const char* what;
  std::string config;
  const char* message;
};

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, NameFileLineKeyAndWhatWouldBeRight) { EXPECT_EQ(refused(GetParam().config), GetParam().message); }

INSTANTIATE_TEST_SUITE_P(
    ServiceConfig, Refusals,
    testing::Values(
        Refusal{"NotJson", "{\n\"a\" 1}",
                "c.json:2: is not JSON: syntax error while parsing object separator - unexpected number literal; "
                "expected ':'\n"},
        Refusal{"NoObject", "[]", "c.json:1: must be an object { ... }, not a list\n"},
        Refusal{"Empty", "{}",
                "c.json:1: store: is missing: an object such as {\"path\": ..., \"protector\": \"file\", \"file\": "
                "{\"key_file\": ...}} is needed here\n"
                "c.json:1: clients: is missing: a list of the programs that may use the service is needed here\n"},
        Refusal{"UnknownKey", with_section(R"("sesions": {})"),
                "c.json:2: sesions: unknown key; did you mean \"sessions\"?\n"},
        Refusal{"UnknownInnerKey", with_section("\"sessions\": {\n\"sloths\": 4}"),
                "c.json:3: sessions.sloths: unknown key; did you mean \"slots\"?\n"},
        Refusal{"NumberTooLarge", with_section(R"("sessions": {"slots": 65})"),
                "c.json:2: sessions.slots: must be a whole number from 1 to 64, not 65\n"},
        Refusal{"NegativeNumber", with_section(R"("rate_limit": {"burst": -1})"),
                "c.json:2: rate_limit.burst: must be a whole number from 1 to 1000000, not -1\n"},
        Refusal{"Fraction", with_section(R"("rate_limit": {"cooldown_ms": 0.5})"),
                "c.json:2: rate_limit.cooldown_ms: must be a whole number from 0 to 3600000, not 0.5\n"},
        Refusal{"TextForNumber", with_section(R"("sessions": {"total": "4"})"),
                "c.json:2: sessions.total: must be a number, not \"4\"\n"},
        Refusal{"WrongWord", with_section(R"("fips": "require")"),
                "c.json:2: fips: \"require\" is not known here; did you mean \"required\"?\n"},
        Refusal{"WrongMode", with_section(R"("fips": {"mode": "never"})"),
                "c.json:2: fips.mode: \"never\" is not known here; known are required, preferred, off\n"},
        Refusal{"FileMode", with_section(R"("socket": {"mode": "0o660"})"),
                "c.json:2: socket.mode: must be an octal mode such as \"0660\", not \"0o660\"\n"},
        Refusal{"RelativePath", with_section(R"("socket": {"path": "x.sock"})"),
                "c.json:2: socket.path: must be an absolute path, not \"x.sock\"\n"},
        Refusal{"EmptyPath", with_section(R"("socket": {"path": ""})"),
                "c.json:2: socket.path: must not be empty or contain a zero byte\n"},
        Refusal{"LockedMemorySize", with_section(R"("locked_memory": {"bytes": 1000000})"),
                "c.json:2: locked_memory.bytes: must be a power of two, such as 1048576\n"},
        Refusal{"SocketPathTooLong", with_section("\"socket\": {\"path\": \"/" + std::string(107, 'x') + "\"}"),
                "c.json:2: socket.path: must be at most 107 bytes, as a Unix socket's address is\n"}),
    [](const auto& test) { return std::string(test.param.what); });

INSTANTIATE_TEST_SUITE_P(
    Clients, Refusals,
    testing::Values(
        Refusal{"None", std::string("{\n") + kStore + ",\n\"clients\": []}",
                "c.json:3: clients: must have 1 to 256 entries\n"},
        Refusal{"NoList", std::string("{\n") + kStore + ",\n\"clients\": {}}",
                "c.json:3: clients: must be a list, not an object\n"},
        Refusal{"NoName", with_client(R"("uid": 1, "operations": [])"),
                "c.json:3: clients[0].name: is missing: a text is needed here\n"},
        Refusal{"BadName", with_client(R"("name": "a b", "uid": 1, "operations": [])"),
                "c.json:3: clients[0].name: \"a b\" must be 1 to 32 letters, digits, '-', '_' or '.'\n"},
        Refusal{
            "NoIdentity", with_client(R"("name": "a", "operations": [])"),
            "c.json:3: clients[0]: does not say who this client is: give \"uid\" or \"user\", \"gid\" or \"group\"\n"},
        Refusal{"UnknownUser", with_client(R"("name": "a", "user": "nobody-here", "operations": [])"),
                "c.json:3: clients[0].user: there is no user \"nobody-here\" on this machine\n"},
        Refusal{"UidAndUser", with_client(R"("name": "a", "uid": 1, "user": "gateway", "operations": [])"),
                "c.json:3: clients[0].user: stands beside \"uid\": give one of the two\n"},
        Refusal{"NoOperations", with_client(R"("name": "a", "uid": 1)"),
                "c.json:3: clients[0].operations: is missing: a list such as [\"aes-encrypt\", \"aes-decrypt\"] is "
                "needed here\n"},
        Refusal{
            "UnknownOperation",
            with_client("\"name\": \"a\", \"uid\": 1, \"operations\": [\"aes-decrypt\",\n\"aes-encript\"]"),
            "c.json:4: clients[0].operations[1]: \"aes-encript\" is not an operation; did you mean \"aes-encrypt\"?\n"},
        Refusal{"OperationNoText", with_client(R"("name": "a", "uid": 1, "operations": [1])"),
                "c.json:3: clients[0].operations[0]: must be a text\n"},
        Refusal{"GrantWithoutId",
                with_client(R"("name": "a", "uid": 1, "operations": [], "keys": [{"usages": ["sign"]}])"),
                "c.json:3: clients[0].keys[0].id: is missing: the id of another client's key is needed here\n"},
        Refusal{"UnknownUsage",
                with_client(R"("name": "a", "uid": 1, "operations": [], "keys": [{"id": 1, "usages": ["decaps"]}])"),
                "c.json:3: clients[0].keys[0].usages[0]: \"decaps\" is not a usage; known are encrypt, decrypt, sign, "
                "verify, sign-mu, "
                "encapsulate, decaps-raw, decaps-to-key, tls-and-csr\n"},
        Refusal{
            "GrantTwice",
            with_client(
                R"("name": "a", "uid": 1, "operations": [], "keys": [{"id": 1, "usages": ["sign"]}, {"id": 1, "usages": ["verify"]}])"),
            "c.json:3: clients[0].keys[1]: key 1 is granted twice: put all usages into one grant\n"},
        Refusal{"LongContext",
                with_client("\"name\": \"a\", \"uid\": 1, \"operations\": [], \"keys\": [{\"id\": 1, \"usages\": "
                            "[\"sign\"], \"context\": \"" +
                            std::string(256, 'c') + "\"}]"),
                "c.json:3: clients[0].keys[0].context: must be a text of at most 255 bytes, the context string of FIPS "
                "204\n"},
        Refusal{"MisspelledLimit", with_client(R"("name": "a", "uid": 1, "operations": [], "limits": {"session": 3})"),
                "c.json:3: clients[0].limits.session: unknown key; did you mean \"sessions\"?\n"},
        Refusal{
            "SameName",
            with_client(
                "\"name\": \"a\", \"uid\": 1, \"operations\": []},\n{\"name\": \"a\", \"uid\": 2, \"operations\": []"),
            "c.json:4: clients[1]: the name \"a\" is already that of clients[0]\n"},
        Refusal{
            "SameUid",
            with_client(
                "\"name\": \"a\", \"uid\": 1, \"operations\": []},\n{\"name\": \"b\", \"uid\": 1, \"operations\": []"),
            "c.json:4: clients[1]: the same processes are already clients[0]: each needs a uid or gid of its own\n"}),
    [](const auto& test) { return std::string(test.param.what); });

INSTANTIATE_TEST_SUITE_P(
    Engines, Refusals,
    testing::Values(
        Refusal{"NoList", with_section(R"("engines": {})"), "c.json:2: engines: must be a list, not an object\n"},
        Refusal{"NoObject", with_section(R"("engines": ["/m.so"])"),
                "c.json:2: engines[0]: must be an object { ... }, not \"/m.so\"\n"
                "c.json:2: engines[0].module: is missing: a text is needed here\n"
                "c.json:2: engines[0].algorithms: is missing: a list such as [\"ML-DSA-65\", \"ML-KEM-768\"] is needed "
                "here\n"
                "c.json:2: engines[0].properties: is missing: a text is needed here\n"},
        Refusal{"Empty", with_section(R"("engines": [{}])"),
                "c.json:2: engines[0].module: is missing: a text is needed here\n"
                "c.json:2: engines[0].algorithms: is missing: a list such as [\"ML-DSA-65\", \"ML-KEM-768\"] is needed "
                "here\n"
                "c.json:2: engines[0].properties: is missing: a text is needed here\n"},
        Refusal{"RelativeModule", with_engine(R"("module": "m.so", "algorithms": ["ML-DSA-44"], "properties": "p=q")"),
                "c.json:2: engines[0].module: must be an absolute path, not \"m.so\"\n"},
        Refusal{"EmptyProperties", with_engine(R"("module": "/m", "algorithms": ["ML-DSA-44"], "properties": "")"),
                "c.json:2: engines[0].properties: must not be empty or contain a zero byte\n"},
        Refusal{"NoAlgorithm", with_engine(R"("module": "/m", "algorithms": [], "properties": "p=q")"),
                "c.json:2: engines[0].algorithms: must name at least one algorithm\n"},
        Refusal{"AlgorithmsNoList", with_engine(R"("module": "/m", "algorithms": "ML-DSA-44", "properties": "p=q")"),
                "c.json:2: engines[0].algorithms: must be a list, not \"ML-DSA-44\"\n"},
        Refusal{"AlgorithmNoText", with_engine(R"("module": "/m", "algorithms": [65], "properties": "p=q")"),
                "c.json:2: engines[0].algorithms[0]: must be a text\n"},
        Refusal{
            "UnknownAlgorithm", with_engine(R"("module": "/m", "algorithms": ["ML-KEM-786"], "properties": "p=q")"),
            "c.json:2: engines[0].algorithms[0]: \"ML-KEM-786\" is not an algorithm that an engine can serve; did you "
            "mean \"ML-KEM-768\"?\n"},
        Refusal{
            "Aes", with_engine(R"("module": "/m", "algorithms": ["AES-256-GCM"], "properties": "p=q")"),
            "c.json:2: engines[0].algorithms[0]: \"AES-256-GCM\" is not an algorithm that an engine can serve; known "
            "are ML-DSA-44, ML-DSA-65, ML-DSA-87, ML-KEM-512, ML-KEM-768, ML-KEM-1024\n"},
        Refusal{
            "Ecdsa", with_engine(R"("module": "/m", "algorithms": ["ECDSA-P256"], "properties": "p=q")"),
            "c.json:2: engines[0].algorithms[0]: \"ECDSA-P256\" is not an algorithm that an engine can serve; known "
            "are ML-DSA-44, ML-DSA-65, ML-DSA-87, ML-KEM-512, ML-KEM-768, ML-KEM-1024\n"},
        Refusal{"AlgorithmTwice",
                with_engine(R"("module": "/m", "algorithms": ["ML-DSA-44", "ml-dsa-44"], "properties": "p=q")"),
                "c.json:2: engines[0].algorithms[1]: \"ml-dsa-44\" stands twice\n"},
        Refusal{
            "AlgorithmOfAnother",
            with_engine("\"module\": \"/m\", \"algorithms\": [\"ML-DSA-44\"], \"properties\": \"p=q\"},\n{\"module\": "
                        "\"/n\", \"algorithms\": [\"ML-DSA-44\"], \"properties\": \"p=r\""),
            "c.json:3: engines[1].algorithms[0]: \"ML-DSA-44\" is already an algorithm of engines[0]\n"},
        Refusal{"MisspelledKey",
                with_engine(R"("module": "/m", "algorithms": ["ML-DSA-44"], "properties": "p=q", "modul": 1)"),
                "c.json:2: engines[0].modul: unknown key; did you mean \"module\"?\n"},
        Refusal{"FipsRequired", with_section(std::string("\"fips\": \"required\",\n") + kEngine),
                "c.json:3: engines: contradicts \"fips\": \"required\": an engine's algorithms come from outside the "
                "FIPS module; take the engine out, or set \"fips\" to \"preferred\"\n"},
        Refusal{
            "LockedMemoryRequired", with_section(std::string("\"locked_memory\": \"required\",\n") + kEngine),
            "c.json:3: engines: contradicts \"locked_memory\": \"required\": an engine keeps expanded keys in memory "
            "of its own; take the engine out, or set \"locked_memory\" to \"preferred\"\n"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(ServiceConfig, ReadsEngines) {
  const ServiceConfig config = loaded(with_section(R"("engines": [
    {"module": "/m.so", "algorithms": ["ML-DSA-65", "ml-kem-768"], "properties": "provider=m"},
    {"module": "/n.so", "algorithms": ["ML-KEM-512"], "properties": "provider=n,speed=fast"}])"));
  ASSERT_EQ(config.engines.size(), 2u);
  EXPECT_EQ(config.engines[0].module, "/m.so");
  EXPECT_EQ(config.engines[0].algorithms, (std::vector{Algorithm::kMlDsa65, Algorithm::kMlKem768}));
  EXPECT_EQ(config.engines[0].properties, "provider=m");
  EXPECT_EQ(config.engines[1].algorithms, std::vector{Algorithm::kMlKem512});
  EXPECT_TRUE(loaded(with_section(R"("fips": "required", "engines": [])")).engines.empty());
}

TEST(ServiceConfig, RefusesEnginesWhereNoModulesAreLoaded) {
  Vocabulary words = vocabulary();
  words.modules = false;
  const auto config = load_service_config("c.json", with_section(kEngine), words);
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error(), "c.json:2: engines: is not available on this system, which loads no provider modules\n");
}

TEST(ServiceConfig, ShowsAllProblemsAtOnce) {
  EXPECT_EQ(refused("{\n\"nonce\": 1,\n\"log_level\": \"loud\",\n" + std::string(kStore) + ",\n" + kClients + "}"),
            "c.json:2: nonce: must be a text, not 1\n"
            "c.json:3: log_level: \"loud\" is not known here; known are debug, info, warning, error\n");
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Each object has a key that is none, and the refusals tell the known ones: docs/config.md explains them all.
TEST(ServiceConfig, IsExplainedKeyByKey) {
  const std::string messages = refused(R"({"?": 0, "socket": {"?": 0}, "store": {"?": 0, "path": "/s",
    "protector": "file", "file": {"?": 0, "key_file": "/k"}, "tpm": {"?": 0, "auth_file": "/a"},
    "hsm": {"?": 0, "module": "/m", "token": "t", "pin_file": "/p"}}, "fips": {"?": 0}, "rate_limit": {"?": 0}, "replay_window": {"?": 0}, "audit": {"?": 0},
    "sessions": {"?": 0}, "keys": {"?": 0}, "locked_memory": {"?": 0},
    "engines": [{"?": 0, "module": "/m", "algorithms": ["ML-DSA-44"], "properties": "p=q"}], "clients": [{"?": 0, "name": "a", "uid": 1,
    "operations": [], "keys": [{"?": 0, "id": 1, "usages": []}], "limits": {"?": 0}, "rate_limit": {"?": 0}}],
    "est": {"?": 0, "socket": {"?": 0}, "server": "https://h", "trust": {"?": 0, "anchors_file": "/a"}, "credential": {"?": 0},
    "certificates": [{"?": 0, "subject": "CN=a", "san": {"?": 0}}], "renewal": {"?": 0}, "retry": {"?": 0},
    "after_renewal": {"?": 0, "command": ["/c"]}}})");
  const std::string page = contents(WVDS_SOURCE_DIR "/docs/config.md");
  std::istringstream lines(messages);
  size_t objects = 0;
  for (std::string line; std::getline(lines, line); ++objects) {
    const size_t known = line.find("known are ");
    ASSERT_NE(known, std::string::npos) << line;
    std::istringstream keys(line.substr(known + std::strlen("known are ")));
    for (std::string key; std::getline(keys >> std::ws, key, ',');) {
      EXPECT_TRUE(page.find("`" + key + "`") != std::string::npos ||
                  page.find("\n## " + key + "\n") != std::string::npos)
          << key;
    }
  }
  EXPECT_EQ(objects, 27u);
}

TEST(ServiceConfig, AcceptsThePublishedExample) {
  Vocabulary words = vocabulary();
  words.operations = {
      "aes-encrypt",         "aes-decrypt",  "mldsa-sign", "mldsa-verify", "mlkem-keygen", "mlkem-encaps-to-key",
      "mlkem-decaps-to-key", "key-generate", "key-public", "key-list",     "key-info",     "key-rotate",
      "key-retire",          "key-delete",   "random",     "status"};
  const auto config =
      load_service_config("config.example.json", contents(WVDS_SOURCE_DIR "/docs/config.example.json"), words);
  ASSERT_TRUE(config.has_value()) << config.error();
  const ServiceConfig defaults;
  EXPECT_EQ(config->sessions.total, defaults.sessions.total);
  EXPECT_EQ(config->keys.use_limit, defaults.keys.use_limit);
  EXPECT_EQ(config->locked_memory.bytes, defaults.locked_memory.bytes);
  EXPECT_EQ(config->replay_window.total_bytes, defaults.replay_window.total_bytes);
  EXPECT_EQ(config->rate_limit.requests_per_second, defaults.rate_limit.requests_per_second);
}

std::expected<ServiceConfig, std::string> with_metrics(const std::string& section, bool there_are_files) {
  Vocabulary words;
  words.files = there_are_files;
  const std::string rest = R"(, "store": {"path": "/s", "protector": "file", "file": {"key_file": "/k"}},
    "clients": [{"name": "a", "operations": []}]})";
  return load_service_config("c", "{\"metrics\": " + section + rest, words);
}

TEST(MetricsSection, NamesTheFileAndTheInterval) {
  const auto config = with_metrics(R"({"file": "/run/m.prom", "interval_s": 5})", true);
  ASSERT_TRUE(config.has_value()) << config.error();
  EXPECT_EQ(config->metrics.file, "/run/m.prom");
  EXPECT_EQ(config->metrics.interval_s, 5u);
}

TEST(AuditSection, NamesFolderAndSizes) {
  const ServiceConfig config =
      loaded(with_section(R"("audit": {"folder": "/var/log/wvds", "max_bytes": 65536, "files": 2})"));
  EXPECT_EQ(config.audit.folder, "/var/log/wvds");
  EXPECT_EQ(config.audit.max_bytes, 65536u);
  EXPECT_EQ(config.audit.files, 2u);
  EXPECT_EQ(audit_folder(config), "/var/log/wvds");
}

TEST(AuditSection, IsInTheStoresFolderUnlessSaidOtherwise) {
  EXPECT_EQ(audit_folder(loaded(std::string("{") + kStore + "," + kClients + "}")), "/s/audit");
}

TEST(AuditSection, RefusesSizesThatKeepNothing) {
  for (const char* section : {R"({"files": 1})", R"({"max_bytes": 1000})", R"({"folder": "audit"})"})
    EXPECT_NE(refused(with_section(std::string("\"audit\": ") + section)), "") << section;
}

TEST(MetricsSection, RefusesWhatIsNoFileOrNoInterval) {
  for (const char* section : {"{}", R"({"file": "m.prom"})", R"({"file": "/m", "interval_s": 0})",
                              R"({"file": "/m", "interval_s": 3601})", R"({"file": "/m", "every": 1})"}) {
    EXPECT_FALSE(with_metrics(section, true).has_value()) << section;
  }
}

TEST(MetricsSection, IsRefusedByNameWhereThereAreNoFiles) {
  const auto config = with_metrics(R"({"file": "/m"})", false);
  ASSERT_FALSE(config.has_value());
  EXPECT_TRUE(config.error().starts_with("c:1: metrics: is not available on this system")) << config.error();
}

}  // namespace
}  // namespace wvds::config
