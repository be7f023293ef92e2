#include "tools/wvds/commands.h"

// sign, verify
namespace wvds::tool {
namespace {

struct SignOptions {
  std::string key;
  std::string input = "-";
  std::string context;
  bool is_deterministic = false;
  Output output;
};

struct VerifyOptions {
  std::string key;
  std::string public_file;
  std::string signature;
  std::string input = "-";
  std::string context;
};

constexpr const char* kTooLong = "; sign a digest of it instead (sha256sum)";

const uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

Outcome<> check_context(const std::string& context) {
  if (context.size() <= WVDS_MLDSA_MAX_CONTEXT_SIZE) return {};
  return misused("--context has " + std::to_string(context.size()) + " bytes; FIPS 204 allows 255");
}

Outcome<> run_sign(const Tool& tool, const SignOptions& options) {
  TOOL_TRY(check_context(options.context));
  TOOL_ASSIGN(message, read_input(options.input, WVDS_MLDSA_MAX_MESSAGE_SIZE, kTooLong));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  Buffer signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  TOOL_TRY(check(wvds_mldsa_sign(session.get(), signature.data(), signature.size_out(), signature.room(), id,
                                 message.data(), message.size(), bytes_of(options.context), options.context.size(),
                                 options.is_deterministic ? WVDS_MLDSA_DETERMINISTIC : 0),
                 options.input + " was not signed with key " + options.key));
  return write_output(options.output, signature.view());
}

Outcome<> check_verify_options(const VerifyOptions& options) {
  if (options.key.empty() == options.public_file.empty()) return misused("verify needs either --key or --public");
  const int standard_inputs = (options.signature == "-") + (options.input == "-") + (options.public_file == "-");
  if (standard_inputs > 1) return misused("only one of SIGNATURE, FILE and --public can be standard input");
  return check_context(options.context);
}

Outcome<> run_verify(const Tool& tool, const VerifyOptions& options) {
  TOOL_TRY(check_verify_options(options));
  TOOL_ASSIGN(signature, read_input(options.signature, WVDS_MLDSA_MAX_SIGNATURE_SIZE, " as a signature"));
  TOOL_ASSIGN(message, read_input(options.input, WVDS_MLDSA_MAX_MESSAGE_SIZE, kTooLong));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(key, load_public_key(session, options.key, options.public_file));
  TOOL_TRY(check(wvds_mldsa_verify(session.get(), &key.key, signature.data(), signature.size(), message.data(),
                                   message.size(), bytes_of(options.context), options.context.size(), 0),
                 options.signature + " for " + options.input));
  return write_text("valid\n");
}

}  // namespace

void add_signature_commands(CLI::App& app, Tool& tool) {
  constexpr const char* kContext = "Context string of FIPS 204: what the signature is for";
  auto* sign = app.add_subcommand("sign", "Sign with an ML-DSA key");
  auto signing = std::make_shared<SignOptions>();
  sign->add_option("KEY", signing->key, "Number or label")->required();
  sign->add_option("FILE", signing->input, "What to sign; - is standard input (the default)");
  sign->add_option("--context", signing->context, kContext);
  sign->add_flag("--deterministic", signing->is_deterministic, "Without fresh randomness (FIPS 204, section 3.4)");
  add_output(sign, signing->output, false, "the signature");
  when_chosen(sign, tool, signing, run_sign);

  auto* verify = app.add_subcommand("verify", "Check an ML-DSA signature; prints \"valid\", or fails");
  auto verifying = std::make_shared<VerifyOptions>();
  verify->add_option("SIGNATURE", verifying->signature, "The signature")->required();
  verify->add_option("FILE", verifying->input, "What was signed; - is standard input (the default)");
  verify->add_option("--key", verifying->key, "Key in the service, by number or label");
  verify->add_option("--public", verifying->public_file, "Raw public key in a file");
  verify->add_option("--context", verifying->context, kContext);
  when_chosen(verify, tool, verifying, run_verify);
}

}  // namespace wvds::tool
