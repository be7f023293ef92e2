#include "keystore/file/file_protector.h"
#include "tools/wvds/store/store_access.h"

// store passphrase
namespace wvds::tool {
namespace {

using keystore::FileName;

struct PassphraseOptions {
  std::string config = kDefaultConfig;
  std::string new_file;
};

Outcome<std::string> passphrase_file(const StoreAccess& access) {
  const auto& file = access.settings().file;
  const std::string before = access.config_path() + ": ";
  if (!file || !file->passphrase.is_set())
    return failed(before +
                  "the store has no passphrase; \"wvds store migrate --to file --new-passphrase-file\" gives it one");
  if (file->passphrase.file.empty()) {
    return failed(before +
                  "the passphrase is a credential, whose file is the service manager's: give the store the new one by "
                  "\"wvds store migrate --to file --new-passphrase-file\", then make it the credential");
  }
  return file->passphrase.file;
}

Result<> change(StoreAccess& access, const keystore::OpenedStore& opened, const std::string& path,
                const std::string& new_path) {
  FileName new_file = keystore::file_name(new_path);
  WVDS_ASSIGN(passphrase, keystore::read_passphrase(new_file));
  const FileName file = keystore::file_name(path);
  WVDS_TRY(file.folder->use_folder());
  const std::string folder = file.folder->path();
  return keystore::change_secret(access.medium(), opened, access.library(),
                                 {.folder = *file.folder,
                                  .name = file.name,
                                  .content = passphrase.expose(),
                                  .protector = [&](const std::string& name) {
                                    return keystore::make_passphrase_protector({platform::open_disk(folder), name});
                                  }});
}

Outcome<> run_passphrase(const Tool&, const PassphraseOptions& options) {
  TOOL_ASSIGN(access, StoreAccess::open(options.config, Access::kChange));
  TOOL_ASSIGN(path, passphrase_file(*access));
  TOOL_ASSIGN(opened, access->open_store());
  if (opened.header.fields.protector != keystore::Place::kFile) {
    return failed("the store in " + access->settings().path + " is protected by \"" +
                  keystore::place_word(opened.header.fields.protector) + "\", not by a passphrase");
  }
  const auto changed = change(*access, opened, path, options.new_file);
  if (!changed) return access->broken(changed.error());
  return write_text("The store in " + access->settings().path + " has the new passphrase, which is in " + path +
                    " now.\nNext: start the service again, and wipe " + options.new_file + ".\n");
}

}  // namespace

void add_passphrase_command(CLI::App& store, Tool& tool) {
  auto* command = store.add_subcommand("passphrase", "Change the store's passphrase, and the file that has it");
  auto options = std::make_shared<PassphraseOptions>();
  add_config(command, options->config);
  command->add_option("--new-file", options->new_file, "File with the new passphrase, at least 12 characters")
      ->required();
  when_chosen(command, tool, options, run_passphrase);
}

}  // namespace wvds::tool
