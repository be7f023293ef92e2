#include <gtest/gtest.h>

#include "config/service_config.h"

namespace wvds::config {
namespace {

constexpr const char* kClients = R"("clients": [{"name": "a", "label": "a", "operations": []}])";

Vocabulary vocabulary(bool has_tokens) {
  Vocabulary words;
  words.tokens = has_tokens;
  words.credentials = has_tokens;
  return words;
}

// with_store is a config with the text inside the braces of "store", which begins in line 2.
std::string with_store(const std::string& store) {
  return std::string("{\n\"store\": {\"path\": \"/s\", ") + store + "},\n" + kClients + "}";
}

Store loaded(const std::string& store) {
  const auto config = load_service_config("c.json", with_store(store), vocabulary(true));
  EXPECT_TRUE(config.has_value()) << config.error();
  return config ? config->store : Store{};
}

std::string refused(const std::string& store, bool has_tokens = true) {
  const auto config = load_service_config("c.json", with_store(store), vocabulary(has_tokens));
  return config ? "" : config.error();
}

TEST(StoreSection, TakesAKeyFile) {
  const Store store = loaded(R"("protector": "file", "file": {"key_file": "/k"})");
  EXPECT_EQ(store.protector, ProtectorKind::kFile);
  ASSERT_TRUE(store.file.has_value());
  EXPECT_EQ(store.file->key.file, "/k");
  EXPECT_FALSE(store.file->passphrase.is_set());
  EXPECT_TRUE(store.has(ProtectorKind::kFile));
  EXPECT_FALSE(store.has(ProtectorKind::kTpm));
}

TEST(StoreSection, TakesAPassphraseAsACredential) {
  const Store store = loaded(R"("protector": "file", "file": {"passphrase_credential": "words"})");
  EXPECT_EQ(store.file->passphrase.credential, "words");
  EXPECT_FALSE(store.file->key.is_set());
}

TEST(StoreSection, TakesATpmWithItsDefaults) {
  const Store store = loaded(R"("protector": "tpm", "tpm": {"auth_file": "/a"})");
  EXPECT_EQ(store.protector, ProtectorKind::kTpm);
  ASSERT_TRUE(store.tpm.has_value());
  EXPECT_EQ(store.tpm->tcti, "device:/dev/tpmrm0");
  EXPECT_EQ(store.tpm->pcr_bank, "sha256");
  EXPECT_TRUE(store.tpm->pcrs.empty());
  EXPECT_FALSE(store.tpm->rollback_nv_index.has_value());
  EXPECT_FALSE(store.tpm->limit_guesses);
}

TEST(StoreSection, TakesEverythingOfATpm) {
  const Store store = loaded(R"("protector": "tpm", "tpm": {"tcti": "swtpm:port=1", "auth_credential": "a",
    "pcr_bank": "sha384", "pcrs": [7, 0, 23], "rollback_nv_index": "0x01800100",
    "limit_guesses": true})");
  EXPECT_EQ(store.tpm->tcti, "swtpm:port=1");
  EXPECT_EQ(store.tpm->auth.credential, "a");
  EXPECT_EQ(store.tpm->pcr_bank, "sha384");
  EXPECT_EQ(store.tpm->pcrs, (std::vector<uint32_t>{0, 7, 23})) << "ascending, as a selection is";
  EXPECT_EQ(store.tpm->rollback_nv_index, 0x01800100u);
  EXPECT_TRUE(store.tpm->limit_guesses);
}

TEST(StoreSection, TakesEverythingOfAnHsm) {
  const Store store =
      loaded(R"("protector": "hsm", "hsm": {"module": "/m.so", "token": "t", "pin_prompt": true, "key_label": "k"})");
  EXPECT_EQ(store.protector, ProtectorKind::kHsm);
  ASSERT_TRUE(store.hsm.has_value());
  EXPECT_EQ(store.hsm->module, "/m.so");
  EXPECT_EQ(store.hsm->token, "t");
  EXPECT_TRUE(store.hsm->pin.prompt);
  EXPECT_EQ(store.hsm->key_label, "k");
}

// A migration needs the settings of both.
TEST(StoreSection, TakesTheOtherProtectorsToo) {
  const Store store = loaded(R"("protector": "file", "file": {"key_file": "/k"}, "tpm": {"auth_file": "/a"},
    "hsm": {"module": "/m.so", "token": "t", "pin_file": "/p"})");
  EXPECT_EQ(store.protector, ProtectorKind::kFile);
  for (const auto kind : {ProtectorKind::kFile, ProtectorKind::kTpm, ProtectorKind::kHsm})
    EXPECT_TRUE(store.has(kind)) << protector_word(kind);
}

struct Refusal {
  const char* what;
  const char* store;
  const char* message;
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.what; }
class StoreRefusals : public testing::TestWithParam<Refusal> {};

TEST_P(StoreRefusals, NameLineKeyAndCure) { EXPECT_EQ(refused(GetParam().store), GetParam().message); }

INSTANTIATE_TEST_SUITE_P(
    StoreSection, StoreRefusals,
    testing::Values(
        Refusal{"NoProtector", R"("file": {"key_file": "/k"})",
                "c.json:2: store.protector: is missing: a text is needed here\n"},
        Refusal{"FormerForm", R"("protector": {"kind": "file"})",
                "c.json:2: store.protector: must be a text, not an object\n"},
        Refusal{"Unknown", R"("protector": "vault")",
                "c.json:2: store.protector: \"vault\" is not a protector; known are file, tpm, hsm\n"},
        Refusal{"NoSettings", R"("protector": "file")",
                "c.json:2: store.file: is missing: the protector's settings are needed here\n"},
        Refusal{"SettingsOfAnother", R"("protector": "tpm", "file": {"key_file": "/k"})",
                "c.json:2: store.tpm: is missing: the protector's settings are needed here\n"},
        Refusal{"NoSecret", R"("protector": "file", "file": {})",
                "c.json:2: store.file: needs exactly one of \"key_file\", \"key_credential\", \"passphrase_file\" or "
                "\"passphrase_credential\"\n"},
        Refusal{"TwoSecrets", R"("protector": "file", "file": {"key_file": "/k", "passphrase_file": "/p"})",
                "c.json:2: store.file: needs exactly one of \"key_file\", \"key_credential\", \"passphrase_file\" or "
                "\"passphrase_credential\"\n"},
        Refusal{"CredentialPath", R"("protector": "file", "file": {"key_credential": "a/b"})",
                "c.json:2: store.file.key_credential: must be the name of a credential, not \"a/b\"\n"},
        Refusal{"NoAuthorisation", R"("protector": "tpm", "tpm": {})",
                "c.json:2: store.tpm: needs exactly one of \"auth_file\" or \"auth_credential\"\n"},
        Refusal{"PcrTooHigh", R"("protector": "tpm", "tpm": {"auth_file": "/a", "pcrs": [24]})",
                "c.json:2: store.tpm.pcrs[0]: must be the number of a PCR, from 0 to 23\n"},
        Refusal{"PcrTwice", R"("protector": "tpm", "tpm": {"auth_file": "/a", "pcrs": [7, 7]})",
                "c.json:2: store.tpm.pcrs[1]: stands twice\n"},
        Refusal{"PcrBank", R"("protector": "tpm", "tpm": {"auth_file": "/a", "pcr_bank": "md5"})",
                "c.json:2: store.tpm.pcr_bank: \"md5\" is not known here; known are sha256, sha384, sha512, sha1\n"},
        Refusal{"NvIndex", R"("protector": "tpm", "tpm": {"auth_file": "/a", "rollback_nv_index": "0x81000001"})",
                "c.json:2: store.tpm.rollback_nv_index: must be a text from \"0x01000000\" to \"0x01ffffff\", not "
                "\"0x81000001\"\n"},
        Refusal{"NoModule", R"("protector": "hsm", "hsm": {"token": "t", "pin_file": "/p"})",
                "c.json:2: store.hsm.module: is missing: the path of the token's PKCS#11 module is needed here\n"},
        Refusal{"NoPin", R"("protector": "hsm", "hsm": {"module": "/m", "token": "t"})",
                "c.json:2: store.hsm: needs exactly one of \"pin_file\", \"pin_credential\" or \"pin_prompt\"\n"},
        Refusal{"PromptThatIsNone", R"("protector": "hsm", "hsm": {"module": "/m", "token": "t", "pin_prompt": false})",
                "c.json:2: store.hsm.pin_prompt: must be true, or be left out\n"}),
    [](const auto& test) { return std::string(test.param.what); });

TEST(StoreSection, RefusesByNameWhatASystemDoesNotHave) {
  EXPECT_EQ(refused(R"("protector": "tpm")", false),
            "c.json:2: store.protector: \"tpm\" is not available on this system; use \"file\"\n");
  EXPECT_EQ(refused(R"("protector": "hsm")", false),
            "c.json:2: store.protector: \"hsm\" is not available on this system; use \"file\"\n");
  EXPECT_EQ(refused(R"("protector": "file", "file": {"key_file": "/k"}, "tpm": {"auth_file": "/a"})", false),
            "c.json:2: store.tpm: is not available on this system\n");
  EXPECT_EQ(refused(R"("protector": "file", "file": {"key_credential": "k"})", false),
            "c.json:2: store.file.key_credential: is not available on this system, which hands over no credentials\n");
}

}  // namespace
}  // namespace wvds::config
