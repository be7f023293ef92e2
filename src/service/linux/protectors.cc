#include "service/linux/protectors.h"

#include "config/linux/secret_path.h"
#include "keystore/file/file_protector.h"
#include "keystore/hsm/hsm_protector.h"
#include "keystore/hsm/linux/helper_process.h"
#include "keystore/hsm/linux/terminal_pin.h"
#include "keystore/tpm/tpm_protector.h"

namespace wvds::service {
namespace {

Result<std::unique_ptr<keystore::Protector>> make_file(const config::FileProtector& settings) {
  if (settings.key.is_set()) {
    WVDS_ASSIGN(path, config::secret_path(settings.key));
    const auto when_missing =
        settings.key.credential.empty() ? keystore::WhenMissing::kMake : keystore::WhenMissing::kRefuse;
    return keystore::make_key_file_protector(keystore::file_name(path), when_missing);
  }
  WVDS_ASSIGN(path, config::secret_path(settings.passphrase));
  return keystore::make_passphrase_protector(keystore::file_name(path));
}

Result<std::unique_ptr<keystore::hsm::PinSource>> make_pin(const config::HsmProtector& settings) {
  if (settings.pin.prompt) return keystore::hsm::make_terminal_pin(settings.token);
  WVDS_ASSIGN(path, config::secret_path(settings.pin));
  return keystore::hsm::make_file_pin(keystore::file_name(path));
}

// hidden_by is what the process of a module can't reach: what is encrypted under the keys that it sees, and what
// unlocks the store in another way.
std::vector<std::string> hidden_by(const config::Store& store, std::vector<std::string> hidden) {
  hidden.push_back(store.path);
  const auto add = [&](const config::SecretSource& source) {
    if (!source.file.empty()) hidden.push_back(source.file);
  };
  if (store.file) add(store.file->key);
  if (store.file) add(store.file->passphrase);
  if (store.tpm) add(store.tpm->auth);
  return hidden;
}

Result<std::unique_ptr<keystore::Protector>> make_hsm(const config::HsmProtector& settings,
                                                      const std::vector<std::string>& hidden) {
  WVDS_ASSIGN(pin, make_pin(settings));
  WVDS_ASSIGN(session, open_token_session(settings, std::move(pin), hidden));
  WVDS_ASSIGN(token, keystore::hsm::parse_token(settings.token));
  const std::string& label = token.key_label.empty() ? settings.key_label : token.key_label;
  return keystore::hsm::make_hsm_protector(std::move(session), label);
}

Result<std::unique_ptr<keystore::Protector>> make_tpm(const config::TpmProtector& settings) {
  WVDS_ASSIGN(path, config::secret_path(settings.auth));
  keystore::TpmSettings wanted{.tcti = settings.tcti, .auth = keystore::file_name(path)};
  if (!settings.auth.credential.empty()) wanted.auth_when_missing = keystore::WhenMissing::kRefuse;
  wanted.pcr_bank = keystore::tpm_hash_of(settings.pcr_bank);
  wanted.pcrs = settings.pcrs;
  wanted.rollback_nv_index = settings.rollback_nv_index;
  wanted.limits_guesses = settings.limit_guesses;
  return keystore::make_tpm_protector(std::move(wanted));
}

}  // namespace

Result<std::shared_ptr<keystore::hsm::TokenSession>> open_token_session(const config::HsmProtector& settings,
                                                                        std::unique_ptr<keystore::hsm::PinSource> pin,
                                                                        const std::vector<std::string>& hidden) {
  WVDS_ASSIGN(token, keystore::hsm::parse_token(settings.token));
  WVDS_ASSIGN(helper, keystore::hsm::start_helper(keystore::hsm::kHelperDeadline, hidden));
  return std::make_shared<keystore::hsm::TokenSession>(
      keystore::hsm::SessionSettings{settings.module, std::move(token)}, std::move(pin), std::move(helper));
}

Result<std::unique_ptr<keystore::Protector>> make_protector(const config::Store& store, config::ProtectorKind kind,
                                                            const std::vector<std::string>& hidden) {
  if (!store.has(kind)) {
    const std::string word(config::protector_word(kind));
    return fail(Status::kInvalidArgument, "the configuration has no section store." + word);
  }
  switch (kind) {
    case config::ProtectorKind::kFile: return make_file(*store.file);
    case config::ProtectorKind::kTpm: return make_tpm(*store.tpm);
    case config::ProtectorKind::kHsm: return make_hsm(*store.hsm, hidden_by(store, hidden));
  }
  return fail(Status::kUnsupported, "this protector is not built in");
}

}  // namespace wvds::service
