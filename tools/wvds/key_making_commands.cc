#include <chrono>
#include <vector>

#include "tools/wvds/commands.h"
#include "tools/wvds/names.h"
#include "tools/wvds/report.h"
#include "tools/wvds/times.h"

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
  uint64_t max_uses = 0;
  std::string not_before;
  std::string not_after;
  std::string public_file;
  bool is_inside_token = false;
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

uint64_t unix_time_now() {
  using namespace std::chrono;
  return static_cast<uint64_t>(duration_cast<seconds>(system_clock::now().time_since_epoch()).count());
}

// set_limits takes the limits over, as far as there are any.
Outcome<> set_limits(const MakingOptions& options, wvds_key_template& key) {
  const uint64_t now = unix_time_now();
  key.max_uses = options.max_uses;
  if (!options.not_before.empty()) {
    TOOL_ASSIGN(time, time_from_words("--not-before", options.not_before, now));
    key.not_before = time;
  }
  if (options.not_after.empty()) return {};
  TOOL_ASSIGN(time, time_from_words("--not-after", options.not_after, now));
  key.not_after = time;
  if (key.not_after > key.not_before) return {};
  return misused("--not-after must be later than --not-before");
}

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
  const bool is_post_quantum = WVDS_MLDSA_PUBLIC_KEY_SIZE(algorithm) != 0 || WVDS_MLKEM_PUBLIC_KEY_SIZE(algorithm) != 0;
  if (options.is_inside_token && !is_post_quantum) return misused("--inside-token is for ML-DSA and ML-KEM keys");
  if (options.is_inside_token) key.flags |= WVDS_KEY_INSIDE_TOKEN;
  key.label = options.label.empty() ? nullptr : options.label.c_str();
  TOOL_TRY(set_limits(options, key));
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
  if (key.not_after != 0 && key.not_after < unix_time_now())
    return misused("--not-after is over: a new key would have nothing to do");
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
  command
      ->add_option("ALGORITHM", options.algorithm,
                   "AES-256-GCM, ML-DSA-44, -65, -87, ML-KEM-512, -768, -1024, ECDSA-P256 or -P384")
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
  command
      ->add_option("--max-uses", options.max_uses,
                   "How many encryptions, signatures or decapsulations each version is good for (default: no limit but "
                   "the service's)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{WVDS_MAX_USES}));
  command->add_option("--not-before", options.not_before, "Usable from then on: 2027-01-01T00:00:00Z, or from now, 90d")
      ->type_name("TIME");
  command
      ->add_option("--not-after", options.not_after,
                   "Protects nothing new after that time; what it protected can still be read and verified")
      ->type_name("TIME");
  command->add_option("--public", options.public_file, "Write the raw public key to this file");
  add_json(command, options.as_json);
}

}  // namespace

void add_key_making_commands(CLI::App& key, Tool& tool) {
  auto* generate = key.add_subcommand("generate", "Make a key and print its number");
  auto making = std::make_shared<MakingOptions>();
  add_making_options(generate, *making);
  generate->add_flag("--inside-token", making->is_inside_token,
                     "ML-DSA, ML-KEM: inside the PKCS#11 token that protects the store, which it never leaves");
  when_chosen(generate, tool, making, run_generate);

  auto* import = key.add_subcommand("import", "Bring a key into the service and print its number");
  auto importing = std::make_shared<ImportOptions>();
  add_making_options(import, importing->key);
  import->add_option("FILE", importing->file, "The key; - is standard input")->required();
  import
      ->add_option("--format", importing->format,
                   "raw (AES, ECDSA's scalar), seed (ML-DSA, ML-KEM), pkcs8 (DER, with the seed) or public")
      ->required()
      ->check(CLI::IsMember(format_words(UINT32_MAX)));
  when_chosen(import, tool, importing, run_import);

  auto* rotate =
      key.add_subcommand("rotate", "Make a new version of an AES, ML-DSA or ECDSA key; old data stays readable");
  auto rotating = std::make_shared<RotateOptions>();
  rotate->add_option("KEY", rotating->key, "Number or label")->required();
  rotate->add_option("--public", rotating->public_file, "Write the new version's raw public key to this file");
  add_json(rotate, rotating->as_json);
  when_chosen(rotate, tool, rotating, run_rotate);
}

}  // namespace wvds::tool
