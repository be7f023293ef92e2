#include <vector>

#include "tools/wvds/commands.h"
#include "tools/wvds/names.h"
#include "tools/wvds/report.h"

// key generate, key import, key rotate
namespace wvds::tool {
namespace {

// MakingOptions say what a new key shall be.
struct MakingOptions {
  std::string algorithm;
  std::string label;
  std::string lifetime = "persistent";
  std::vector<std::string> usages;
  bool has_replay_window = false;
  std::string public_file;
  bool as_json = false;
};

struct ImportOptions {
  MakingOptions key;
  std::string format;
  std::string file;
};

struct RotateOptions {
  std::string key;
  std::string public_file;
  bool as_json = false;
};

constexpr size_t kMaxPkcs8Size = 16384;

// template_of keeps a pointer to options.label.
Outcome<wvds_key_template> template_of(const MakingOptions& options) {
  wvds_key_template key{};
  TOOL_ASSIGN(algorithm, algorithm_from_word(options.algorithm));
  TOOL_ASSIGN(usages, usages_from_words(options.usages));
  if (options.has_replay_window && algorithm != WVDS_AES_256_GCM) {
    return misused("--replay-window is for AES keys: others don't decrypt messages");
  }
  key.algorithm = algorithm;
  key.usages = usages;
  key.lifetime = options.lifetime == "volatile" ? WVDS_LIFETIME_VOLATILE : WVDS_LIFETIME_PERSISTENT;
  key.flags = algorithm == WVDS_AES_256_GCM && !options.has_replay_window ? WVDS_KEY_REPLAY_WINDOW_OFF : 0;
  key.label = options.label.empty() ? nullptr : options.label.c_str();
  return key;
}

Outcome<> write_public_key(const std::string& file, const Buffer& public_key, uint32_t key_id) {
  if (file.empty()) return {};
  if (public_key.size() == 0)
    return failed("key " + std::to_string(key_id) + " was made, but an AES key has no public key to write");
  auto written = write_output({.path = file}, public_key.view());
  if (written) return {};
  return failed("key " + std::to_string(key_id) +
                " was made, but its public key was not written: " + written.error().message);
}

// finish prints the new key's number, for scripts to take, and writes the public key where it was asked for.
Outcome<> finish(const MakingOptions& options, const Buffer& public_key, uint32_t key_id) {
  TOOL_TRY(write_public_key(options.public_file, public_key, key_id));
  Report report;
  report.only_text(std::to_string(key_id));
  report.only_json({{"key", key_id}});
  return print(report, options.as_json);
}

Outcome<> run_generate(const Tool& tool, const MakingOptions& options) {
  TOOL_ASSIGN(key, template_of(options));
  TOOL_ASSIGN(session, connect(tool.service));
  Buffer public_key(WVDS_MAX_PUBLIC_KEY_SIZE);
  uint32_t id = 0;
  TOOL_TRY(
      check(wvds_key_generate(session.get(), &id, public_key.data(), public_key.size_out(), public_key.room(), &key),
            "no key was made"));
  return finish(options, public_key, id);
}

Outcome<> run_import(const Tool& tool, const ImportOptions& options) {
  TOOL_ASSIGN(key, template_of(options.key));
  TOOL_ASSIGN(material, read_input(options.file, kMaxPkcs8Size, " as a key"));
  TOOL_ASSIGN(session, connect(tool.service));
  Buffer public_key(WVDS_MAX_PUBLIC_KEY_SIZE);
  uint32_t id = 0;
  TOOL_TRY(
      check(wvds_key_import(session.get(), &id, public_key.data(), public_key.size_out(), public_key.room(), &key,
                            format_of(options.format), material.data(), material.size()),
            options.file + " was not imported as " + algorithm_text(key.algorithm) + ", format " + options.format));
  return finish(options.key, public_key, id);
}

Outcome<> run_rotate(const Tool& tool, const RotateOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  Buffer public_key(WVDS_MAX_PUBLIC_KEY_SIZE);
  uint32_t version = 0;
  TOOL_TRY(
      check(wvds_key_rotate(session.get(), &version, public_key.data(), public_key.size_out(), public_key.room(), id),
            "key " + options.key + " was not rotated"));
  TOOL_TRY(write_public_key(options.public_file, public_key, id));
  Report report;
  report.only_text("version " + std::to_string(version));
  report.only_json({{"key", id}, {"version", version}});
  return print(report, options.as_json);
}

void add_making_options(CLI::App* command, MakingOptions& options) {
  command->add_option("ALGORITHM", options.algorithm, "AES-256-GCM, ML-DSA-44, -65, -87, ML-KEM-512, -768 or -1024")
      ->required();
  command->add_option("--label", options.label, "A name for people, at most 64 bytes");
  command->add_option("--lifetime", options.lifetime, "persistent (stored) or volatile (ends with the service)")
      ->check(CLI::IsMember({"persistent", "volatile"}))
      ->capture_default_str();
  command
      ->add_option(
          "--usage", options.usages,
          "What it is for, comma-separated: encrypt, decrypt, sign, verify, encapsulate, decaps-raw, decaps-to-key "
          "(default: all of its algorithm that are safe together)")
      ->delimiter(',');
  command->add_flag("--replay-window", options.has_replay_window,
                    "AES: decrypt each message once only. Without it the key is for data at rest, which is read again");
  command->add_option("--public", options.public_file, "Write the raw public key to this file");
  add_json(command, options.as_json);
}

}  // namespace

void add_key_making_commands(CLI::App& key, Tool& tool) {
  auto* generate = key.add_subcommand("generate", "Make a key and print its number");
  auto making = std::make_shared<MakingOptions>();
  add_making_options(generate, *making);
  when_chosen(generate, tool, making, run_generate);

  auto* import = key.add_subcommand("import", "Bring a key into the service and print its number");
  auto importing = std::make_shared<ImportOptions>();
  add_making_options(import, importing->key);
  import->add_option("FILE", importing->file, "The key; - is standard input")->required();
  import
      ->add_option("--format", importing->format,
                   "raw (AES), seed (ML-DSA, ML-KEM), pkcs8 (DER with the seed) or public")
      ->required()
      ->check(CLI::IsMember(format_words(UINT32_MAX)));
  when_chosen(import, tool, importing, run_import);

  auto* rotate = key.add_subcommand("rotate", "Make a new version of an AES or ML-DSA key; old data stays readable");
  auto rotating = std::make_shared<RotateOptions>();
  rotate->add_option("KEY", rotating->key, "Number or label")->required();
  rotate->add_option("--public", rotating->public_file, "Write the new version's raw public key to this file");
  add_json(rotate, rotating->as_json);
  when_chosen(rotate, tool, rotating, run_rotate);
}

}  // namespace wvds::tool
