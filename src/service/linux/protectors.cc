#include "service/linux/protectors.h"

#include <cstdlib>

#include "keystore/file/file_protector.h"

namespace wvds::service {
namespace {

Result<std::unique_ptr<keystore::Protector>> make_file(const config::FileProtector& settings) {
  if (settings.key.is_set()) {
    WVDS_ASSIGN(path, secret_path(settings.key));
    return keystore::make_key_file_protector(keystore::file_name(path));
  }
  WVDS_ASSIGN(path, secret_path(settings.passphrase));
  return keystore::make_passphrase_protector(keystore::file_name(path));
}

}  // namespace

Result<std::string> secret_path(const config::SecretSource& source) {
  if (source.credential.empty()) return source.file;
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder != nullptr && *folder == '/') return std::string(folder) + "/" + source.credential;
  return fail(Status::kStorageError,
              "the credential \"" + source.credential +
                  "\" is not there: the service manager hands credentials over, so start the service by it, with "
                  "LoadCredential= or LoadCredentialEncrypted= in its unit");
}

Result<std::unique_ptr<keystore::Protector>> make_protector(const config::Store& store, config::ProtectorKind kind) {
  if (!store.has(kind)) {
    const std::string word(config::protector_word(kind));
    return fail(Status::kInvalidArgument, "the configuration has no section store." + word);
  }
  switch (kind) {
    case config::ProtectorKind::kFile: return make_file(*store.file);
    case config::ProtectorKind::kTpm:
    case config::ProtectorKind::kHsm: break;
  }
  return fail(Status::kUnsupported, "this protector is not built in");
}

}  // namespace wvds::service
