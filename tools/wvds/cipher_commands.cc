#include "tools/wvds/commands.h"
#include "tools/wvds/stream_job.h"

// encrypt, decrypt
namespace wvds::tool {
namespace {

struct CipherOptions {
  std::string key;
  std::string input = "-";
  std::string aad_text;
  std::string aad_file;
  Output output;
};

Outcome<Buffer> aad_of(const CipherOptions& options) {
  if (options.aad_file == "-" && options.input == "-")
    return misused("FILE and --aad-file can't both be standard input");
  if (!options.aad_file.empty()) {
    return read_input(options.aad_file, WVDS_STREAM_MAX_AAD_SIZE, " as additional data");
  }
  if (options.aad_text.size() > WVDS_STREAM_MAX_AAD_SIZE) {
    return misused("--aad has " + std::to_string(options.aad_text.size()) + " bytes; " +
                   std::to_string(WVDS_STREAM_MAX_AAD_SIZE) + " is the most");
  }
  Buffer aad(options.aad_text.size());
  aad.append({reinterpret_cast<const uint8_t*>(options.aad_text.data()), options.aad_text.size()});
  return aad;
}

Outcome<> run_encrypt(const Tool& tool, const CipherOptions& options) {
  TOOL_ASSIGN(aad, aad_of(options));
  TOOL_ASSIGN(input, Input::open(options.input));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  TOOL_ASSIGN(output, OutputFile::open(options.output));
  StreamJob job(input, output);
  const wvds_stream_io io = job.io();
  const wvds_status status = wvds_stream_encrypt(session.get(), &io, id, aad.data(), aad.size());
  const std::string rights = status == WVDS_DENIED ? " (it takes the rights aes-encrypt and random)" : "";
  TOOL_TRY(job.outcome(status, input.name() + " was not encrypted with key " + options.key + rights));
  return output.commit();
}

Outcome<> run_decrypt(const Tool& tool, const CipherOptions& options) {
  TOOL_TRY(check_output(options.output));
  TOOL_ASSIGN(aad, aad_of(options));
  TOOL_ASSIGN(input, Input::open(options.input));
  TOOL_ASSIGN(session, connect(tool.service));
  uint32_t id = 0;  // the one that the stream names
  if (!options.key.empty()) {
    TOOL_ASSIGN(named, find_key(session, options.key));
    id = named;
  }
  TOOL_ASSIGN(output, OutputFile::open(options.output));
  StreamJob job(input, output);
  const wvds_stream_io io = job.io();
  const wvds_status status = wvds_stream_decrypt(session.get(), &io, id, aad.data(), aad.size());
  const uint32_t used = id != 0 ? id : job.named_key();
  TOOL_TRY(job.outcome(status, input.name() + " was not decrypted with key " + std::to_string(used)));
  return output.commit();
}

void add_common_options(CLI::App* command, CipherOptions& options) {
  command->add_option("FILE", options.input, "What to work on, of any size; - is standard input (the default)");
  auto* text = command->add_option("--aad", options.aad_text,
                                   "Text that is authenticated but not in the file: needed again to decrypt");
  command->add_option("--aad-file", options.aad_file, "The same from a file")->excludes(text);
}

}  // namespace

void add_cipher_commands(CLI::App& app, Tool& tool) {
  auto* encrypt = app.add_subcommand("encrypt", "Encrypt with an AES-256-GCM key; the result names its key");
  auto encrypting = std::make_shared<CipherOptions>();
  encrypt->add_option("KEY", encrypting->key, "Number or label")->required();
  add_common_options(encrypt, *encrypting);
  add_output(encrypt, encrypting->output, false, "the result");
  when_chosen(encrypt, tool, encrypting, run_encrypt);

  auto* decrypt = app.add_subcommand("decrypt", "Decrypt what \"wvds encrypt\" wrote");
  auto decrypting = std::make_shared<CipherOptions>();
  decrypt->add_option("--key", decrypting->key, "Another key than the one that the file names");
  add_common_options(decrypt, *decrypting);
  add_output(decrypt, decrypting->output, true, "the result");
  when_chosen(decrypt, tool, decrypting, run_decrypt);
}

}  // namespace wvds::tool
