#include "tools/wvds/commands.h"
#include "tools/wvds/ecdsa_signature.h"
#include "tools/wvds/message_mu.h"
#include "tools/wvds/names.h"
#include "tools/wvds/report.h"

// sign, verify
namespace wvds::tool {
namespace {

struct SignOptions {
  std::string key;
  std::string input = "-";
  std::string context;
  std::string hash;
  bool is_deterministic = false;
  Output output;
};

struct VerifyOptions {
  std::string key;
  std::string public_file;
  std::string signature;
  std::string input = "-";
  std::string context;
  std::string hash;
  bool as_json = false;
};

const uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

Outcome<> check_context(const std::string& context) {
  if (context.size() <= WVDS_MLDSA_MAX_CONTEXT_SIZE) return {};
  return misused("--context has " + std::to_string(context.size()) + " bytes; FIPS 204 allows 255");
}

// is_for_ecdsa decides between ML-DSA and ECDSA. Only a key that is named by its number, with no option of either,
// makes a question of its own; a user who may not ask it has an ML-DSA key, or says --hash.
Outcome<bool> is_for_ecdsa(const Session& session, NamedKey& key, const std::string& hash, bool is_for_mldsa) {
  if (key.algorithm == 0 && hash.empty() && !is_for_mldsa) {
    wvds_key_details details{};
    const wvds_status status = wvds_key_info(session.get(), &details, key.id);
    if (status == WVDS_DENIED) return false;
    TOOL_TRY(check(status, "key " + std::to_string(key.id)));
    key.algorithm = details.algorithm;
  }
  const bool is_ecdsa = is_ecdsa_key(key.algorithm) || (key.algorithm == 0 && !hash.empty());
  if (is_ecdsa && is_for_mldsa) return misused("--context and --deterministic are for ML-DSA keys: ECDSA has neither");
  if (!is_ecdsa && !hash.empty()) return misused("--hash is for ECDSA keys: ML-DSA has its own");
  return is_ecdsa;
}

Outcome<Buffer> sign(const Session& session, uint32_t id, ByteView message, const std::string& context, uint32_t flags,
                     const std::string& what) {
  Buffer signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  TOOL_TRY(check(wvds_mldsa_sign(session.get(), signature.data(), signature.size_out(), signature.room(), id,
                                 message.data(), message.size(), bytes_of(context), context.size(), flags),
                 what));
  return signature;
}

// may_sign_mu says how to make a key that signs long messages, when this one does not.
Outcome<wvds_algorithm> may_sign_mu(const Session& session, uint32_t id, const SignOptions& options,
                                    const std::string& what) {
  wvds_key_details details{};
  TOOL_TRY(check(wvds_key_info(session.get(), &details, id), what));
  if ((details.usages & WVDS_USAGE_SIGN_MU) != 0) return details.algorithm;
  const bool can_sign = (details.usages & WVDS_USAGE_SIGN) != 0;
  return failed(what + ": more than " + number_text(WVDS_MLDSA_MAX_MESSAGE_SIZE) +
                " bytes are signed by a key with the usage sign-mu, and key " + options.key + " has " +
                usages_text(details.usages) + ". Make one with \"wvds key generate " +
                (can_sign ? algorithm_text(details.algorithm) : "ML-DSA-65") + " --usage sign,verify,sign-mu\"");
}

// mu depends on the key's version, and the service signs with whichever is the newest: only verifying tells that it was
// still the same.
Outcome<Buffer> sign_by_mu(const Session& session, uint32_t id, Message& message, const SignOptions& options,
                           uint32_t flags, const std::string& what) {
  TOOL_ASSIGN(algorithm, may_sign_mu(session, id, options, what));
  std::vector<MuKey> keys;
  TOOL_ASSIGN(key, newest_mu_key(session, id, algorithm));
  keys.push_back(std::move(key));
  TOOL_ASSIGN(mus, mus_of(message, keys, options.context));
  const Mu& mu = mus.front();
  TOOL_ASSIGN(signature, sign(session, id, mu, "", flags | WVDS_MLDSA_EXTERNAL_MU, what));
  const MuKey& used = keys.front();
  const wvds_public_key raw = wvds_public_key_raw(used.algorithm, used.bytes.data(), used.bytes.size());
  const wvds_status verified = wvds_mldsa_verify(session.get(), &raw, signature.data(), signature.size(), mu.data(),
                                                 mu.size(), nullptr, 0, WVDS_MLDSA_EXTERNAL_MU);
  if (verified == WVDS_SIGNATURE_INVALID) {
    return failed(what + ": the key was rotated while the message was read; sign it again");
  }
  TOOL_TRY(check(verified, what + ", for the signature could not be verified"));
  return std::move(signature);
}

Outcome<Buffer> sign_mldsa(const Session& session, uint32_t id, Message& message, const SignOptions& options,
                           const std::string& what) {
  const uint32_t flags = options.is_deterministic ? WVDS_MLDSA_DETERMINISTIC : 0;
  return message.is_whole ? sign(session, id, message.beginning.view(), options.context, flags, what)
                          : sign_by_mu(session, id, message, options, flags, what);
}

Outcome<> run_sign(const Tool& tool, const SignOptions& options) {
  TOOL_TRY(check_context(options.context));
  TOOL_ASSIGN(message, open_message(options.input));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(key, find_named_key(session, options.key));
  const std::string what = message.input.name() + " was not signed with key " + options.key;
  const bool is_for_mldsa = options.is_deterministic || !options.context.empty();
  TOOL_ASSIGN(is_ecdsa, is_for_ecdsa(session, key, options.hash, is_for_mldsa));
  TOOL_ASSIGN(signature, is_ecdsa ? sign_ecdsa(session, key.id, message, hash_of(options.hash, key.algorithm), what)
                                  : sign_mldsa(session, key.id, message, options, what));
  return write_output(options.output, signature.view());
}

Outcome<> check_verify_options(const VerifyOptions& options) {
  if (options.key.empty() == options.public_file.empty()) return misused("verify needs either --key or --public");
  const int standard_inputs = (options.signature == "-") + (options.input == "-") + (options.public_file == "-");
  if (standard_inputs > 1) return misused("only one of SIGNATURE, FILE and --public can be standard input");
  return check_context(options.context);
}

Outcome<std::vector<MuKey>> keys_to_try(const Session& session, const wvds_public_key& key) {
  if (key.key_id != 0) return mu_keys(session, key.key_id);
  std::vector<MuKey> keys;
  MuKey& given = keys.emplace_back(key.algorithm, Buffer(key.len));
  given.bytes.append({key.bytes, key.len});
  return keys;
}

// With a stored key the signature may be by any of its versions.
Outcome<wvds_status> verify_by_mu(const Session& session, const wvds_public_key& key, ByteView signature,
                                  Message& message, const std::string& context) {
  TOOL_ASSIGN(keys, keys_to_try(session, key));
  TOOL_ASSIGN(mus, mus_of(message, keys, context));
  wvds_status status = WVDS_SIGNATURE_INVALID;
  for (const Mu& mu : mus) {
    status = wvds_mldsa_verify(session.get(), &key, signature.data(), signature.size(), mu.data(), mu.size(), nullptr,
                               0, WVDS_MLDSA_EXTERNAL_MU);
    if (status != WVDS_SIGNATURE_INVALID) break;
  }
  return status;
}

Outcome<wvds_status> verify(const Session& session, const wvds_public_key& key, ByteView signature, Message& message,
                            const std::string& context) {
  if (!message.is_whole) return verify_by_mu(session, key, signature, message, context);
  const ByteView bytes = message.beginning.view();
  return wvds_mldsa_verify(session.get(), &key, signature.data(), signature.size(), bytes.data(), bytes.size(),
                           bytes_of(context), context.size(), 0);
}

Outcome<> run_verify(const Tool& tool, const VerifyOptions& options) {
  TOOL_TRY(check_verify_options(options));
  TOOL_ASSIGN(signature, read_input(options.signature, WVDS_MLDSA_MAX_SIGNATURE_SIZE, " as a signature"));
  TOOL_ASSIGN(message, open_message(options.input));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(key, load_public_key(session, options.key, options.public_file));
  NamedKey named{key.key.key_id, key.algorithm};
  TOOL_ASSIGN(is_ecdsa, is_for_ecdsa(session, named, options.hash, !options.context.empty()));
  const wvds_hash hash = hash_of(options.hash, named.algorithm);
  TOOL_ASSIGN(status, is_ecdsa ? verify_ecdsa(session, key.key, signature.view(), message, hash)
                               : verify(session, key.key, signature.view(), message, options.context));
  TOOL_TRY(check(status, options.signature + " for " + message.input.name()));
  Report report;
  report.only_text("valid");
  report.only_json({{"valid", true}});
  return print(report, options.as_json);
}

}  // namespace

void add_signature_commands(CLI::App& app, Tool& tool) {
  constexpr const char* kContext = "ML-DSA: context string of FIPS 204, what the signature is for";
  constexpr const char* kHash = "ECDSA: sha256 (usual for P-256), sha384 (for P-384) or sha512";
  auto* sign = app.add_subcommand("sign", "Sign with an ML-DSA or ECDSA key");
  auto signing = std::make_shared<SignOptions>();
  sign->add_option("KEY", signing->key,
                   "Number or label; for more than 58,050 bytes an ML-DSA key needs the usage sign-mu")
      ->required();
  sign->add_option("FILE", signing->input, "What to sign, of any size; - is standard input (the default)");
  sign->add_option("--context", signing->context, kContext);
  sign->add_option("--hash", signing->hash, kHash)->check(CLI::IsMember(hash_words()));
  sign->add_flag("--deterministic", signing->is_deterministic,
                 "ML-DSA: without fresh randomness (FIPS 204, section 3.4)");
  add_output(sign, signing->output, false, "the signature");
  when_chosen(sign, tool, signing, run_sign);

  auto* verify = app.add_subcommand("verify", "Check an ML-DSA or ECDSA signature; prints \"valid\", or fails");
  auto verifying = std::make_shared<VerifyOptions>();
  verify->add_option("SIGNATURE", verifying->signature, "The signature")->required();
  verify->add_option("FILE", verifying->input, "What was signed; - is standard input (the default)");
  verify->add_option("--key", verifying->key, "Key in the service, by number or label");
  verify->add_option("--public", verifying->public_file, "Raw public key in a file");
  verify->add_option("--context", verifying->context, kContext);
  verify->add_option("--hash", verifying->hash, kHash)->check(CLI::IsMember(hash_words()));
  add_json(verify, verifying->as_json);
  when_chosen(verify, tool, verifying, run_verify);
}

}  // namespace wvds::tool
