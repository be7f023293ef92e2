#include "keystore/file/file_protector.h"
#include "tools/wvds/store/store_access.h"

// store migrate, and what puts the store commands together
namespace wvds::tool {
namespace {

using config::ProtectorKind;
using keystore::Protector;

struct MigrateOptions {
  std::string config = kDefaultConfig;
  std::string to;
  std::string new_key_file;
  std::string new_passphrase_file;

  const std::string& new_file() const { return new_key_file.empty() ? new_passphrase_file : new_key_file; }
};

Outcome<> check_new_file(const MigrateOptions& options) {
  const std::string& file = options.new_file();
  if (file.empty()) return {};
  if (options.to != "file") return misused("--new-key-file and --new-passphrase-file are for --to file");
  if (file.front() != '/') return misused(file + ": must be an absolute path, as in the configuration");
  return {};
}

std::unique_ptr<Protector> new_file_protector(const MigrateOptions& options) {
  if (!options.new_key_file.empty())
    return keystore::make_key_file_protector(keystore::file_name(options.new_key_file));
  if (options.new_passphrase_file.empty()) return nullptr;
  return keystore::make_passphrase_protector(keystore::file_name(options.new_passphrase_file));
}

// next_step says what the configuration must be told, which is not this program's to change.
std::string next_step(const StoreAccess& access, const MigrateOptions& options) {
  const auto kind = config::protector_from_word(options.to);
  const bool names_it = access.settings().protector == *kind;
  std::string step;
  if (!names_it) step = "set \"protector\" to \"" + options.to + "\"";
  if (!options.new_file().empty()) {
    const char* const key = options.new_key_file.empty() ? "passphrase_file" : "key_file";
    step +=
        std::string(step.empty() ? "" : " and ") + "make \"file\" { \"" + key + "\": \"" + options.new_file() + "\" }";
  }
  if (step.empty()) return "start the service again";
  return step + " in " + access.config_path() + ", then start the service again";
}

Outcome<> run_migrate(const Tool&, const MigrateOptions& options) {
  TOOL_TRY(check_new_file(options));
  TOOL_ASSIGN(access, StoreAccess::open(options.config, Access::kChange));
  const auto new_file = new_file_protector(options);
  if (new_file != nullptr) access->also_try(*new_file);
  Protector* next = new_file.get();
  if (next == nullptr) {
    TOOL_ASSIGN(configured, access->protector(*config::protector_from_word(options.to)));
    next = configured;
  }
  TOOL_ASSIGN(opened, access->open_store());
  const auto done = keystore::rewrap_store(access->medium(), opened, {.library = access->library(), .next = *next});
  if (!done) return access->broken(done.error());
  return write_text("The store in " + access->settings().path + " is protected by \"" + options.to + "\" now.\n" +
                    "Next: " + next_step(*access, options) + ".\n");
}

}  // namespace

void add_migrate_command(CLI::App& store, Tool& tool) {
  auto* command = store.add_subcommand("migrate", "Give the store another protector, without touching a key");
  auto options = std::make_shared<MigrateOptions>();
  add_config(command, options->config);
  command->add_option("--to", options->to, "What is to protect it")
      ->required()
      ->check(CLI::IsMember({"file", "tpm", "hsm"}));
  auto* key = command->add_option("--new-key-file", options->new_key_file,
                                  "A key file in place of the configuration's; made where it is missing");
  command
      ->add_option("--new-passphrase-file", options->new_passphrase_file,
                   "A file with a passphrase in place of the configuration's")
      ->excludes(key);
  when_chosen(command, tool, options, run_migrate);
}

void add_store_commands(CLI::App& app, Tool& tool) {
  auto* store = app.add_subcommand("store", "Check, move and back up the key store, while the service is stopped");
  store->require_subcommand(1);
  store->fallthrough();
  add_verify_command(*store, tool);
  add_migrate_command(*store, tool);
  add_passphrase_command(*store, tool);
  add_pin_command(*store, tool);
  add_archive_commands(*store, tool);
}

}  // namespace wvds::tool
