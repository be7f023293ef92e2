#include "tools/wvds/commands.h"
#include "tools/wvds/sealed_file.h"

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

// aad_of puts the file's header before what the user adds.
Outcome<Buffer> aad_of(const CipherOptions& options, ByteView header) {
  if (options.aad_file == "-" && options.input == "-")
    return misused("FILE and --aad-file can't both be standard input");
  constexpr size_t kMost = WVDS_AES_MAX_SIZE - kSealedHeaderSize;
  Buffer extra(kMost);
  if (!options.aad_file.empty()) {
    TOOL_ASSIGN(read, read_input(options.aad_file, kMost));
    extra = std::move(read);
  } else if (options.aad_text.size() <= kMost) {
    extra.append({reinterpret_cast<const uint8_t*>(options.aad_text.data()), options.aad_text.size()});
  } else {
    return misused("--aad is longer than one request takes");
  }
  Buffer aad(header.size() + extra.size());
  aad.append(header);
  aad.append(extra.view());
  return aad;
}

Outcome<> run_encrypt(const Tool& tool, const CipherOptions& options) {
  TOOL_TRY(check_output(options.output));
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(id, find_key(session, options.key));
  const SealedHeader header = sealed_header(id);
  TOOL_ASSIGN(aad, aad_of(options, header));
  TOOL_ASSIGN(plaintext, read_input(options.input, WVDS_AES_MAX_SIZE - aad.size(), "; split(1) makes pieces of it"));
  Buffer file(kSealedHeaderSize + WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext.size()));
  file.append(header);
  size_t length = 0;
  TOOL_TRY(
      check(wvds_aes_encrypt(session.get(), file.data() + kSealedHeaderSize, &length, file.room() - kSealedHeaderSize,
                             id, plaintext.data(), plaintext.size(), aad.data(), aad.size()),
            options.input + " was not encrypted with key " + options.key));
  file.set_size(kSealedHeaderSize + length);
  return write_output(options.output, file.view());
}

Outcome<> run_decrypt(const Tool& tool, const CipherOptions& options) {
  TOOL_TRY(check_output(options.output));
  constexpr size_t kMost =
      WVDS_AES_MAX_SIZE + WVDS_AES_OVERHEAD;  // header and AAD share the library's limit with the data
  TOOL_ASSIGN(bytes, read_input(options.input, kMost));
  const auto file = parse_sealed_file(bytes.view());
  if (!file) return failed(options.input + ": \"wvds encrypt\" did not write this, or a part of it is missing");
  TOOL_ASSIGN(aad, aad_of(options, file->header));
  TOOL_ASSIGN(session, connect(tool.service));
  uint32_t id = file->key_id;
  if (!options.key.empty()) {
    TOOL_ASSIGN(named, find_key(session, options.key));
    id = named;
  }
  Buffer plaintext(WVDS_AES_DECRYPT_OUTPUT_SIZE(file->sealed.size()));
  TOOL_TRY(check(wvds_aes_decrypt(session.get(), plaintext.data(), plaintext.size_out(), plaintext.room(), id,
                                  file->sealed.data(), file->sealed.size(), aad.data(), aad.size()),
                 options.input + " was not decrypted with key " + std::to_string(id)));
  return write_output(options.output, plaintext.view());
}

void add_common_options(CLI::App* command, CipherOptions& options) {
  command->add_option("FILE", options.input, "What to work on; - is standard input (the default)");
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
