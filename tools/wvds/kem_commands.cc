#include "tools/wvds/commands.h"

// encaps, decaps
namespace wvds::tool {
namespace {

struct EncapsOptions {
  std::string key;
  std::string public_file;
  Output secret{.path = "", .is_secret = true};
  Output ciphertext;
};

struct DecapsOptions {
  std::string key;
  std::string input = "-";
  Output secret;
};

Outcome<> run_encaps(const Tool& tool, const EncapsOptions& options) {
  if (options.key.empty() == options.public_file.empty()) return misused("encaps needs either --key or --public");
  if (options.secret.path == options.ciphertext.path) return misused("--secret and --output can't be the same place");
  TOOL_TRY(check_output(options.secret));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(key, load_public_key(session, options.key, options.public_file));
  Buffer secret(WVDS_MLKEM_SHARED_SECRET_SIZE);
  Buffer ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  TOOL_TRY(check(wvds_mlkem_encaps(session.get(), secret.data(), ciphertext.data(), ciphertext.size_out(),
                                   ciphertext.room(), &key.key),
                 "no encapsulation to " + (options.key.empty() ? options.public_file : "key " + options.key)));
  secret.set_size(secret.room());
  // the ciphertext first: where it can't be written, no secret is left lying about
  TOOL_TRY(write_output(options.ciphertext, ciphertext.view()));
  return write_output(options.secret, secret.view());
}

Outcome<> run_decaps(const Tool& tool, const DecapsOptions& options) {
  TOOL_TRY(check_output(options.secret));
  TOOL_ASSIGN(ciphertext, read_input(options.input, WVDS_MLKEM_MAX_CIPHERTEXT_SIZE, " as an ML-KEM ciphertext"));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  Buffer secret(WVDS_MLKEM_SHARED_SECRET_SIZE);
  TOOL_TRY(check(wvds_mlkem_decaps(session.get(), secret.data(), id, ciphertext.data(), ciphertext.size()),
                 options.input + " was not decapsulated with key " + options.key));
  secret.set_size(secret.room());
  return write_output(options.secret, secret.view());
}

}  // namespace

void add_kem_commands(CLI::App& app, Tool& tool) {
  auto* encaps = app.add_subcommand("encaps", "Make a shared secret for the holder of an ML-KEM key");
  auto encapsulating = std::make_shared<EncapsOptions>();
  encaps->add_option("--key", encapsulating->key, "Key in the service, by number or label");
  encaps->add_option("--public", encapsulating->public_file, "Raw public key in a file");
  encaps->add_option("--secret", encapsulating->secret.path, "Where the shared secret goes")->required();
  encaps->add_flag("--force", encapsulating->secret.force, "Overwrite an existing secret");
  add_output(encaps, encapsulating->ciphertext, false, "the ciphertext");
  when_chosen(encaps, tool, encapsulating, run_encaps);

  auto* decaps =
      app.add_subcommand("decaps", "Take the shared secret out of a ciphertext (keys made with --usage decaps-raw)");
  auto decapsulating = std::make_shared<DecapsOptions>();
  decaps->add_option("KEY", decapsulating->key, "Number or label")->required();
  decaps->add_option("FILE", decapsulating->input, "The ciphertext; - is standard input (the default)");
  add_output(decaps, decapsulating->secret, true, "the shared secret");
  when_chosen(decaps, tool, decapsulating, run_decaps);
}

}  // namespace wvds::tool
