#include "keystore/hsm/pin_change.h"
#include "service/linux/protectors.h"
#include "tools/wvds/store/store_access.h"

// store pin
namespace wvds::tool {
namespace {

struct PinOptions {
  std::string config = kDefaultConfig;
  std::string new_file;  // empty: finish a change that was interrupted
};

Outcome<std::string> pin_file(const StoreAccess& access) {
  const auto& hsm = access.settings().hsm;
  const std::string before = access.config_path() + ": ";
  if (!hsm) return failed(before + "has no section store.hsm, so there is no PIN to change");
  if (!hsm->pin.file.empty()) return hsm->pin.file;
  if (hsm->pin.prompt)
    return failed(before + "the PIN is typed in, so there is no file to keep in step: change it by the vendor's tools");
  return failed(before +
                "the PIN is a credential, whose file is the service manager's: change the token's PIN by the vendor's "
                "tools, and the credential");
}

Outcome<> run_pin(const Tool&, const PinOptions& options) {
  TOOL_ASSIGN(access, StoreAccess::open(options.config, Access::kChange));  // so that no service still has the old PIN
  TOOL_ASSIGN(path, pin_file(*access));
  const auto file = keystore::file_name(path);
  if (const auto usable = file.folder->use_folder(); !usable) return access->broken(usable.error());
  const auto open = [&](std::unique_ptr<keystore::hsm::PinSource> pin) {
    return service::open_token_session(*access->settings().hsm, std::move(pin));
  };
  Result<> changed;
  if (options.new_file.empty()) {
    changed = keystore::hsm::finish_pin_change(open, file);
  } else {
    const auto new_pin = keystore::hsm::read_pin(keystore::file_name(options.new_file));
    if (!new_pin) return access->broken(new_pin.error());
    changed = keystore::hsm::change_pin_file(open, file, new_pin->expose());
  }
  if (!changed) return access->broken(changed.error());
  return write_text("The token has the new PIN, which is in " + path + " now.\nNext: start the service again" +
                    (options.new_file.empty() ? "" : ", and wipe " + options.new_file) + ".\n");
}

}  // namespace

void add_pin_command(CLI::App& store, Tool& tool) {
  auto* command =
      store.add_subcommand("pin", "Change the PIN of the token that protects the store, and the file that has it");
  auto options = std::make_shared<PinOptions>();
  add_config(command, options->config);
  command->add_option("--new-pin-file", options->new_file,
                      "File with the new PIN; without it a change that was interrupted is finished");
  when_chosen(command, tool, options, run_pin);
}

}  // namespace wvds::tool
