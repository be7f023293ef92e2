#include "config/store_section.h"

#include <algorithm>
#include <array>

#include "config/service_config.h"

namespace wvds::config {
namespace {

constexpr std::array<std::pair<std::string_view, ProtectorKind>, 3> kKinds{
    {{"file", ProtectorKind::kFile}, {"tpm", ProtectorKind::kTpm}, {"hsm", ProtectorKind::kHsm}}};
constexpr uint32_t kPcrs = 24;
constexpr uint32_t kFirstNvIndex = 0x0100'0000;  // TPM 2.0 library specification, part 2, 7.1: TPM_HT_NV_INDEX
constexpr uint32_t kLastNvIndex = 0x01ff'ffff;

FileProtector read_file(Section& section, const Vocabulary& vocabulary) {
  FileProtector out;
  read_source(section, "key", vocabulary, out.key);
  read_source(section, "passphrase", vocabulary, out.passphrase);
  need_one(section, {"key_file", "key_credential", "passphrase_file", "passphrase_credential"});
  return out;
}

void read_pcrs(Section& section, std::vector<uint32_t>& out) {
  const std::vector<JsonValue>& items = section.list("pcrs");
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string path = item_path("pcrs", i);
    if (!items[i].number || *items[i].number >= kPcrs) {
      section.problem(items[i].line, path, "must be the number of a PCR, from 0 to 23");
    } else if (const auto pcr = static_cast<uint32_t>(*items[i].number); std::ranges::find(out, pcr) != out.end()) {
      section.problem(items[i].line, path, "stands twice");
    } else {
      out.push_back(pcr);
    }
  }
  std::ranges::sort(out);
}

// read_nv_index takes a text, as tpm2-tools write an index: JSON has no hexadecimal numbers.
void read_nv_index(Section& section, std::string_view name, std::optional<uint32_t>& out) {
  if (!section.has(name)) return;
  std::string text;
  section.text(name, text);
  const bool is_hex = text.size() == 10 && text.starts_with("0x") &&
                      text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
  const uint32_t index = is_hex ? static_cast<uint32_t>(std::stoul(text, nullptr, 16)) : 0;
  if (index < kFirstNvIndex || index > kLastNvIndex) {
    return section.problem(line_of(section, name), name,
                           "must be a text from \"0x01000000\" to \"0x01ffffff\", not \"" + text + "\"");
  }
  out = index;
}

TpmProtector read_tpm(Section& section, const Vocabulary& vocabulary) {
  TpmProtector out;
  section.text("tcti", out.tcti);
  read_source(section, "auth", vocabulary, out.auth);
  need_one(section, {"auth_file", "auth_credential"});
  section.choice<std::string>("pcr_bank", out.pcr_bank,
                              {{"sha256", "sha256"}, {"sha384", "sha384"}, {"sha512", "sha512"}, {"sha1", "sha1"}});
  read_pcrs(section, out.pcrs);
  read_nv_index(section, "rollback_nv_index", out.rollback_nv_index);
  section.truth("limit_guesses", out.limit_guesses);
  return out;
}

HsmProtector read_hsm(Section& section, const Vocabulary& vocabulary) {
  HsmProtector out;
  section.absolute_path("module", out.module);
  if (!section.has("module"))
    section.problem(section.line(), "module", "is missing: the path of the token's PKCS#11 module is needed here");
  section.required_text("token", out.token);
  read_source(section, "pin", vocabulary, out.pin);
  section.truth("pin_prompt", out.pin.prompt);
  if (section.has("pin_prompt") && !out.pin.prompt)
    section.problem(line_of(section, "pin_prompt"), "pin_prompt", "must be true, or be left out");
  need_one(section, {"pin_file", "pin_credential", "pin_prompt"});
  section.text("key_label", out.key_label);
  return out;
}

// read_kind takes the word of "protector" and says of a kind that this system can't have that it can't.
std::optional<ProtectorKind> read_kind(Section& section, const Vocabulary& vocabulary) {
  std::string word;
  section.required_text("protector", word);
  if (word.empty()) return std::nullopt;
  const auto kind = protector_from_word(word);
  const int line = line_of(section, "protector");
  if (!kind) {
    section.problem(line, "protector",
                    "\"" + word + "\" is not a protector" + word_advice(word, {"file", "tpm", "hsm"}));
  } else if (*kind != ProtectorKind::kFile && !vocabulary.tokens) {
    section.problem(line, "protector", "\"" + word + "\" is not available on this system; use \"file\"");
    return std::nullopt;
  }
  return kind;
}

// read_protector reads the section of one kind where it is there.
template <class Settings>
void read_protector(Section& store, ProtectorKind kind, const Vocabulary& vocabulary, Problems& problems,
                    std::optional<Settings>& out, Settings (*read)(Section&, const Vocabulary&)) {
  const std::string_view name = protector_word(kind);
  if (kind != ProtectorKind::kFile && !vocabulary.tokens && store.has(name)) {
    return store.problem(line_of(store, name), name, "is not available on this system");
  }
  read_object(store, name, problems, [&](Section& section) { out = read(section, vocabulary); });
}

void read_content(Section& section, const Vocabulary& vocabulary, Problems& problems, Store& out) {
  section.absolute_path("path", out.path);
  if (!section.has("path"))
    section.problem(section.line(), "path", "is missing: the folder of the key store is needed here");
  const auto kind = read_kind(section, vocabulary);
  read_protector(section, ProtectorKind::kFile, vocabulary, problems, out.file, read_file);
  read_protector(section, ProtectorKind::kTpm, vocabulary, problems, out.tpm, read_tpm);
  read_protector(section, ProtectorKind::kHsm, vocabulary, problems, out.hsm, read_hsm);
  if (!kind) return;
  out.protector = *kind;
  if (!section.has(protector_word(*kind)))
    section.problem(section.line(), protector_word(*kind), "is missing: the protector's settings are needed here");
}

}  // namespace

std::string_view protector_word(ProtectorKind kind) { return kKinds[static_cast<size_t>(kind)].first; }

std::optional<ProtectorKind> protector_from_word(std::string_view word) {
  for (const auto& [known, kind] : kKinds) {
    if (known == word) return kind;
  }
  return std::nullopt;
}

bool Store::has(ProtectorKind kind) const {
  switch (kind) {
    case ProtectorKind::kFile: return file.has_value();
    case ProtectorKind::kTpm: return tpm.has_value();
    case ProtectorKind::kHsm: return hsm.has_value();
  }
  return false;
}

void read_store(Section& root, const Vocabulary& vocabulary, Problems& problems, Store& out) {
  if (!root.has("store")) {
    return root.problem(root.line(), "store",
                        "is missing: an object such as {\"path\": ..., \"protector\": \"file\", \"file\": "
                        "{\"key_file\": ...}} is needed here");
  }
  read_object(root, "store", problems, [&](Section& section) { read_content(section, vocabulary, problems, out); });
}

}  // namespace wvds::config
