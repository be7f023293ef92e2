#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/secret_source.h"
#include "config/section.h"

// The section "store": where the keys rest and what unlocks them.
namespace wvds::config {

struct Vocabulary;

enum class ProtectorKind : uint8_t { kFile, kTpm, kHsm };

// protector_word is the kind's word in config.json.
std::string_view protector_word(ProtectorKind kind);
std::optional<ProtectorKind> protector_from_word(std::string_view word);

// FileProtector: exactly one of the two is set.
struct FileProtector {
  SecretSource key;  // 32 bytes
  SecretSource passphrase;

  bool operator==(const FileProtector&) const = default;
};

struct TpmProtector {
  std::string tcti = "device:/dev/tpmrm0";  // how the TPM is reached, as TSS 2.0 writes it
  SecretSource auth;                        // the authorisation value, 32 bytes
  std::string pcr_bank = "sha256";
  std::vector<uint32_t> pcrs;                 // empty: no policy
  std::optional<uint32_t> rollback_nv_index;  // of a counter against old stores
  bool limit_guesses = false;                 // wrong authorisation values count towards the TPM's lockout

  bool operator==(const TpmProtector&) const = default;
};

struct HsmProtector {
  std::string module;  // absolute path
  std::string token;   // label, or a URI of RFC 7512
  SecretSource pin;
  std::string key_label = "wvds-store";

  bool operator==(const HsmProtector&) const = default;
};

// Store: the section of `protector` is there; those of other kinds may be, for a migration.
struct Store {
  std::string path;
  ProtectorKind protector = ProtectorKind::kFile;
  std::optional<FileProtector> file;
  std::optional<TpmProtector> tpm;
  std::optional<HsmProtector> hsm;

  bool has(ProtectorKind kind) const;
  bool operator==(const Store&) const = default;
};

void read_store(Section& root, const Vocabulary& vocabulary, Problems& problems, Store& out);

}  // namespace wvds::config
