#include "tools/wvds/commands.h"

// key retire, key delete, and what puts the key commands together
namespace wvds::tool {
namespace {

struct RetireOptions {
  std::string key;
};

struct DeleteOptions {
  std::string key;
  uint32_t version = 0;
};

Outcome<> run_retire(const Tool& tool, const RetireOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  return check(wvds_key_retire(session.get(), id), "key " + options.key + " was not retired");
}

Outcome<> run_delete(const Tool& tool, const DeleteOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  const std::string what =
      "key " + options.key + (options.version == 0 ? "" : ", version " + std::to_string(options.version));
  return check(wvds_key_delete(session.get(), id, options.version), what + " was not deleted");
}

}  // namespace

void add_key_ending_commands(CLI::App& key, Tool& tool) {
  auto* retire = key.add_subcommand("retire", "End encryption, signing and encapsulation with a key, for good");
  auto retiring = std::make_shared<RetireOptions>();
  retire->add_option("KEY", retiring->key, "Number or label")->required();
  when_chosen(retire, tool, retiring, run_retire);

  auto* remove = key.add_subcommand("delete", "Delete a key or one version, for good: what it encrypted is lost");
  auto deleting = std::make_shared<DeleteOptions>();
  remove->add_option("KEY", deleting->key, "Number or label")->required();
  remove->add_option("--version", deleting->version, "Only this version")->check(CLI::Range(1u, UINT32_MAX));
  when_chosen(remove, tool, deleting, run_delete);
}

void add_key_commands(CLI::App& app, Tool& tool) {
  auto* key = app.add_subcommand("key", "Make, show and end keys");
  key->require_subcommand(1);
  key->fallthrough();
  add_key_making_commands(*key, tool);
  add_key_showing_commands(*key, tool);
  add_key_ending_commands(*key, tool);
}

}  // namespace wvds::tool
