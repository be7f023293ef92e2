#include "platform/wall_clock.h"
#include "tools/wvds/commands.h"
#include "tools/wvds/names.h"
#include "tools/wvds/report.h"

// key list, key info, key public
namespace wvds::tool {
namespace {

struct ListOptions {
  bool as_json = false;
};

struct ShowOptions {
  std::string key;
  uint32_t version = 0;
  bool as_json = false;
  Output output;
};

Outcome<> run_list(const Tool& tool, const ListOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(keys, list_keys(session));
  Table table({{"key", "KEY", 7},
               {"algorithm", "ALGORITHM", 12},
               {"lifetime", "LIFETIME", 11},
               {"versions", "VERSIONS", 9},
               {"usages", "USAGES", 28},
               {"label", "LABEL", 0}});
  std::string text = table.head();
  for (const wvds_key_entry& key : keys) {
    text += table.add({{key.key_id, ""},
                       {algorithm_text(key.algorithm), ""},
                       {lifetime_text(key.lifetime), ""},
                       {key.num_versions, ""},
                       {usage_words(key.usages), usages_text(key.usages)},
                       {key.label, ""}});
  }
  return write_text(options.as_json ? json_text({{"keys", table.rows()}}) : text);
}

const char* state_word(const wvds_key_version& version) {
  return version.state == WVDS_KEY_VERSION_ACTIVE ? "active" : "retired";
}

std::string version_text(const wvds_key_version& version) {
  std::string text = std::to_string(version.number) + ", " + state_word(version);
  text += ", at most " + number_text(version.uses) + " uses";
  if (version.use_limit != 0) text += " of " + number_text(version.use_limit);
  if (version.window_capacity != 0) {
    text += ", replay window " + number_text(version.window_used) + " of " + number_text(version.window_capacity);
  }
  return text;
}

void add_versions(Report& report, const wvds_key_details& key) {
  Json versions = Json::array();
  for (uint32_t i = 0; i < key.num_versions && i < WVDS_MAX_KEY_VERSIONS; ++i) {
    const wvds_key_version& version = key.versions[i];
    report.only_text(padded("version", 15) + version_text(version));
    versions.push_back({{"number", version.number},
                        {"state", state_word(version)},
                        {"uses", version.uses},
                        {"use_limit", version.use_limit},
                        {"window_used", version.window_used},
                        {"window_capacity", version.window_capacity}});
  }
  report.only_json({{"versions", std::move(versions)}});
}

// Text shows the limits that there are; JSON has each one.
void add_limits(Report& report, const wvds_key_details& key) {
  const auto date = [&](const char* name, const char* label, uint64_t time, const char* more) {
    if (time != 0) report.only_text(padded(label, 15) + platform::date_text(time) + more);
    report.only_json({{name, time != 0 ? Json(platform::date_text(time)) : Json()}});
  };
  if (key.max_uses != 0) report.only_text(padded("most uses", 15) + number_text(key.max_uses) + " of each version");
  report.only_json({{"max_uses", key.max_uses}});
  date("not_before", "not before", key.not_before, "");
  date("not_after", "not after", key.not_after, ", then it protects nothing new");
}

Report details_report(const wvds_key_details& key) {
  Report report;
  report.line("key", std::to_string(key.key_id), {{"key", key.key_id}});
  report.line("label", key.label, {{"label", key.label}});
  report.line("algorithm", algorithm_text(key.algorithm), {{"algorithm", algorithm_text(key.algorithm)}});
  report.line("usages", usages_text(key.usages), {{"usages", usage_words(key.usages)}});
  report.line("lifetime", lifetime_text(key.lifetime), {{"lifetime", lifetime_text(key.lifetime)}});
  report.line("stored", place_text(key.place), {{"place", place_word(key.place)}});
  report.line("provider", provider_text(key.provider, key.is_inside_fips),
              {{"provider", key.provider}, {"is_inside_fips", key.is_inside_fips != 0}});
  report.line("owner", key.owner, {{"owner", key.owner}});
  if (key.algorithm == WVDS_AES_256_GCM) {
    const bool is_on = (key.flags & WVDS_KEY_REPLAY_WINDOW_OFF) == 0;
    report.line("replay window", is_on ? "on: each message once" : "off: for data at rest", {{"replay_window", is_on}});
  }
  add_limits(report, key);
  add_versions(report, key);
  return report;
}

Outcome<> run_info(const Tool& tool, const ShowOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  wvds_key_details details{};
  TOOL_TRY(check(wvds_key_info(session.get(), &details, id), "key " + options.key));
  return print(details_report(details), options.as_json);
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
  auto listing = std::make_shared<ListOptions>();
  add_json(list, listing->as_json);
  when_chosen(list, tool, listing, run_list);

  auto* info = key.add_subcommand("info", "Describe a key, its versions and how much they were used");
  auto showing = std::make_shared<ShowOptions>();
  info->add_option("KEY", showing->key, "Number or label")->required();
  add_json(info, showing->as_json);
  when_chosen(info, tool, showing, run_info);

  auto* publish = key.add_subcommand("public", "Write the raw public key (FIPS 203, FIPS 204)");
  auto publishing = std::make_shared<ShowOptions>();
  publish->add_option("KEY", publishing->key, "Number or label")->required();
  publish->add_option("--version", publishing->version, "Of this version (default: the newest)");
  add_output(publish, publishing->output, false, "it");
  when_chosen(publish, tool, publishing, run_public);
}

}  // namespace wvds::tool
