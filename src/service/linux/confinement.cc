#include "service/linux/confinement.h"

#include <sys/stat.h>

#include "config/linux/secret_path.h"
#include "keystore/tpm/tpm_device.h"
#include "keystore/tpm/tss_library.h"
#include "platform/linux/name_services.h"

namespace wvds::service {
namespace {

using platform::FileAccess;
using platform::FileRule;

constexpr const char* kTerminal = "/dev/tty";

// The TPM's programs in software are reached over TCP.
bool is_tpm_in_software(const std::string& tcti) { return tcti.starts_with("swtpm") || tcti.starts_with("mssim"); }

void add_folders(std::vector<FileRule>& rules, const std::string& file, FileAccess access) {
  for (const std::string& folder : platform::folders_of(file)) rules.push_back({folder, access});
}

// A secret of a file may be made by the service, and so may be one of a credential never.
void add_secret(std::vector<FileRule>& rules, const config::SecretSource& source, FileAccess access) {
  const auto path = config::secret_path(source);
  if (!source.is_set() || source.prompt || !path) return;
  add_folders(rules, *path, source.credential.empty() ? access : FileAccess::kRead);
}

void add_protector(std::vector<FileRule>& rules, const config::Store& store) {
  switch (store.protector) {
    case config::ProtectorKind::kFile:
      add_secret(rules, store.file->key, FileAccess::kChange);
      add_secret(rules, store.file->passphrase, FileAccess::kRead);
      return;
    case config::ProtectorKind::kTpm:
      add_secret(rules, store.tpm->auth, FileAccess::kChange);
      if (const auto device = keystore::tpm_device_of(store.tpm->tcti)) rules.push_back({*device, FileAccess::kDevice});
      return;
    case config::ProtectorKind::kHsm:
      add_secret(rules, store.hsm->pin, FileAccess::kRead);
      if (store.hsm->pin.prompt) rules.push_back({kTerminal, FileAccess::kDevice});
      return;
  }
}

}  // namespace

void prepare_sandbox(const config::ServiceConfig& config) {
  constexpr mode_t kOwnOnly = 0700;
  platform::load_name_services({"passwd", "group"});
  if (!config.audit.folder.empty()) ::mkdir(config.audit.folder.c_str(), kOwnOnly);
  if (config.store.protector != config::ProtectorKind::kTpm) return;
  if (const auto tss = keystore::TssLibrary::load()) keystore::keep_way_loaded(config.store.tpm->tcti);
}

platform::CallRules call_rules(const config::ServiceConfig& config) {
  const config::Store& store = config.store;
  const bool network = store.protector == config::ProtectorKind::kTpm && is_tpm_in_software(store.tpm->tcti);
  return {.kind = platform::Confined::kCryptoService, .network = network};
}

std::vector<FileRule> file_rules(const config::ServiceConfig& config, const std::string& config_path) {
  std::vector<FileRule> rules = platform::rules_for_names();
  add_folders(rules, config_path, FileAccess::kRead);
  add_folders(rules, config.socket.path, FileAccess::kSocket);
  rules.push_back({config.store.path, FileAccess::kChange});
  rules.push_back({config::audit_folder(config), FileAccess::kChange});
  if (!config.metrics.file.empty()) add_folders(rules, config.metrics.file, FileAccess::kChange);
  add_protector(rules, config.store);
  return rules;
}

}  // namespace wvds::service
