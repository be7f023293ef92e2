#include <vector>

#include "tools/wvds/commands.h"
#include "tools/wvds/names.h"

// key list, key info, key public
namespace wvds::tool {
namespace {

struct ListOptions {};

struct ShowOptions {
  std::string key;
  uint32_t version = 0;
  Output output;
};

std::string list_line(const std::string& id, const std::string& algorithm, const std::string& lifetime,
                      const std::string& versions, const std::string& usages, const std::string& label) {
  std::string line = padded(id, 8) + padded(algorithm, 13) + padded(lifetime, 12) + padded(versions, 10) +
                     (label.empty() ? usages : padded(usages, 29)) + label;
  return line + "\n";
}

Outcome<> run_list(const Tool& tool, const ListOptions&) {
  TOOL_ASSIGN(session, connect(tool.service));
  std::string text = list_line("KEY", "ALGORITHM", "LIFETIME", "VERSIONS", "USAGES", "LABEL");
  std::vector<wvds_key_entry> page(WVDS_MAX_KEY_LIST);
  uint32_t last = 0;
  for (int more = 1; more != 0;) {
    size_t count = 0;
    TOOL_TRY(check(wvds_key_list(session.get(), page.data(), &count, page.size(), &more, last), "the list of keys"));
    for (size_t i = 0; i < count; ++i) {
      const wvds_key_entry& key = page[i];
      text += list_line(std::to_string(key.key_id), algorithm_text(key.algorithm), lifetime_text(key.lifetime),
                        std::to_string(key.num_versions), usages_text(key.usages), key.label);
      last = key.key_id;
    }
    if (count == 0) break;
  }
  return write_text(text);
}

std::string version_text(const wvds_key_version& version) {
  std::string text = padded("version", 15) + std::to_string(version.number);
  text += version.state == WVDS_KEY_VERSION_ACTIVE ? ", active" : ", retired";
  text += ", at most " + number_text(version.uses) + " uses";
  if (version.use_limit != 0) text += " of " + number_text(version.use_limit);
  if (version.window_capacity != 0) {
    text += ", replay window " + number_text(version.window_used) + " of " + number_text(version.window_capacity);
  }
  return text + "\n";
}

std::string details_text(const wvds_key_details& key) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) { text += padded(name, 15) + value + "\n"; };
  line("key", std::to_string(key.key_id));
  line("label", key.label);
  line("algorithm", algorithm_text(key.algorithm));
  line("usages", usages_text(key.usages));
  line("lifetime", lifetime_text(key.lifetime));
  line("stored", place_text(key.place));
  line("owner", key.owner);
  if (key.algorithm == WVDS_AES_256_GCM) {
    line("replay window",
         (key.flags & WVDS_KEY_REPLAY_WINDOW_OFF) != 0 ? "off: for data at rest" : "on: each message once");
  }
  for (uint32_t i = 0; i < key.num_versions && i < WVDS_MAX_KEY_VERSIONS; ++i) text += version_text(key.versions[i]);
  return text;
}

Outcome<> run_info(const Tool& tool, const ShowOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  wvds_key_details details{};
  TOOL_TRY(check(wvds_key_info(session.get(), &details, id), "key " + options.key));
  return write_text(details_text(details));
}

Outcome<> run_public(const Tool& tool, const ShowOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  Buffer bytes(WVDS_MAX_PUBLIC_KEY_SIZE);
  TOOL_TRY(check(wvds_key_public(session.get(), bytes.data(), bytes.size_out(), bytes.room(), id, options.version),
                 "the public key of key " + options.key));
  return write_output(options.output, bytes.view());
}

}  // namespace

void add_key_showing_commands(CLI::App& key, Tool& tool) {
  auto* list = key.add_subcommand("list", "List the keys that you may use");
  when_chosen(list, tool, std::make_shared<ListOptions>(), run_list);

  auto* info = key.add_subcommand("info", "Describe a key, its versions and how much they were used");
  auto showing = std::make_shared<ShowOptions>();
  info->add_option("KEY", showing->key, "Number or label")->required();
  when_chosen(info, tool, showing, run_info);

  auto* publish = key.add_subcommand("public", "Write the raw public key (FIPS 203, FIPS 204)");
  auto publishing = std::make_shared<ShowOptions>();
  publish->add_option("KEY", publishing->key, "Number or label")->required();
  publish->add_option("--version", publishing->version, "Of this version (default: the newest)");
  add_output(publish, publishing->output, false, "it");
  when_chosen(publish, tool, publishing, run_public);
}

}  // namespace wvds::tool
