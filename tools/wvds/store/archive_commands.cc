#include "keystore/archive.h"
#include "keystore/file/file_protector.h"
#include "keystore/store_inspect.h"
#include "tools/wvds/names.h"
#include "tools/wvds/store/store_access.h"

// store backup, store restore
namespace wvds::tool {
namespace {

struct BackupOptions {
  std::string config = kDefaultConfig;
  std::string passphrase_file;
  Output output;
};

struct RestoreOptions {
  std::string config = kDefaultConfig;
  std::string passphrase_file;
  std::string archive;
};

ByteView view_of(Bytes bytes) { return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}; }

std::string records_text(size_t count) { return number_text(count) + (count == 1 ? " record" : " records"); }

Outcome<> run_backup(const Tool&, const BackupOptions& options) {
  TOOL_TRY(check_output(options.output));
  TOOL_ASSIGN(access, StoreAccess::open(options.config, Access::kLook));
  TOOL_ASSIGN(opened, access->open_store());
  const auto found = keystore::inspect_store(access->medium(), access->library(), opened);
  if (!found) return access->broken(found.error());
  const auto wrapping = keystore::make_passphrase_protector(keystore::file_name(options.passphrase_file));
  const auto archive = keystore::make_archive(access->medium(), access->library(), opened, *wrapping);
  if (!archive) return access->broken(archive.error());
  TOOL_TRY(write_output(options.output, view_of(*archive)));
  for (const keystore::StoreFault& fault : found->faults)
    complain("backed up as it is: " + fault.name + ": " + fault.what);
  if (found->inside_token != 0)
    complain("keys inside the token are not in the archive, only their records: " + number_text(found->inside_token));
  if (options.output.path == "-") return {};
  return write_text("Backed up " + records_text(found->records) + " to " + options.output.path +
                    ".\nNext: keep the file and its passphrase apart.\n");
}

std::string restored_text(const StoreAccess& access, const keystore::Restored& restored) {
  std::string text = "Restored " + records_text(restored.records) + " into " + access.settings().path + ".\n" +
                     "New keys get numbers that are 65,536 higher, so that none is given twice.\n";
  if (restored.used_up != 0) {
    text += "How often keys were used since the backup is not known, so those that are counted (" +
            number_text(restored.used_up) +
            ") only decrypt until they are rotated: by \"wvds key rotate KEY\", or by the "
            "service itself where keys.rotate_at_percent is set.\n";
  }
  return text + "Next: start the service.\n";
}

Outcome<> run_restore(const Tool&, const RestoreOptions& options) {
  TOOL_ASSIGN(archive, read_input(options.archive, keystore::kMaxArchiveSize));
  TOOL_ASSIGN(access, StoreAccess::open(options.config, Access::kMake));
  TOOL_ASSIGN(protector, access->protector(access->settings().protector));
  const auto wrapping = keystore::make_passphrase_protector(keystore::file_name(options.passphrase_file));
  const auto restored = keystore::restore_archive(std::as_bytes(archive.view()), access->medium(),
                                                  {.opening_library = access->opening_library(),
                                                   .archive_protector = *wrapping,
                                                   .library = access->library(),
                                                   .protector = *protector});
  if (!restored) return failed("nothing was restored into " + access->settings().path + ": " + restored.error().detail);
  for (const std::string& doubt : restored->doubts) complain("restored as it was: " + doubt);
  return write_text(restored_text(*access, *restored));
}

}  // namespace

void add_archive_commands(CLI::App& store, Tool& tool) {
  auto* backup = store.add_subcommand("backup", "Write the whole store into one file, wrapped by a passphrase");
  auto backing_up = std::make_shared<BackupOptions>();
  backing_up->output.is_secret = true;
  add_config(backup, backing_up->config);
  backup->add_option("--out", backing_up->output.path, "The file; - is standard output")->required();
  backup->add_flag("--force", backing_up->output.force, "Overwrite an existing file");
  backup->add_option("--passphrase-file", backing_up->passphrase_file, "File with the backup's own passphrase")
      ->required();
  when_chosen(backup, tool, backing_up, run_backup);

  auto* restore = store.add_subcommand("restore", "Make a store of a backup, in an empty folder");
  auto restoring = std::make_shared<RestoreOptions>();
  add_config(restore, restoring->config);
  restore->add_option("--from", restoring->archive, "The file; - is standard input")->required();
  restore->add_option("--passphrase-file", restoring->passphrase_file, "File with the backup's passphrase")->required();
  when_chosen(restore, tool, restoring, run_restore);
}

}  // namespace wvds::tool
