#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "keystore/rollback_counter.h"

// The protector's header: docs/storage-format.md, "Protector tpm". No TPM and no library of one is needed here.
namespace wvds::keystore {

// PrimaryKind is the template of the storage key under which the key-encryption key is sealed.
enum class PrimaryKind : uint8_t { kEccP256 = 1, kRsa2048 = 2 };

// TpmHash is a hash algorithm by its number in the TPM library specification, part 2, 6.3; as the bank of PCRs.
enum class TpmHash : uint16_t { kNone = 0, kSha1 = 0x0004, kSha256 = 0x000b, kSha384 = 0x000c, kSha512 = 0x000d };

size_t digest_size(TpmHash hash);  // 0 for an unknown one

// tpm_hash_of takes "sha1", "sha256", "sha384" or "sha512"; kNone for anything else. tpm_hash_word is the reverse.
TpmHash tpm_hash_of(std::string_view word);
const char* tpm_hash_word(TpmHash hash);

inline constexpr uint32_t kPcrCount = 24;

// PcrPolicy is what the PCRs must hold. `values` are those at the time of making, one after the other.
struct PcrPolicy {
  TpmHash bank = TpmHash::kNone;
  uint32_t pcrs = 0;  // bit n: PCR n
  std::vector<std::byte> values = {};

  bool is_set() const { return pcrs != 0; }
  std::vector<uint32_t> numbers() const;
};

// pcr_list is such as "sha256 PCRs 0, 2 and 7".
std::string pcr_list(TpmHash bank, const std::vector<uint32_t>& numbers);

struct CounterFields {
  uint32_t nv_index = 0;  // 0: no rollback counter
  uint64_t first = 0;
  RollbackBinding binding{};
};

struct TpmHeader {
  static constexpr size_t kNameSize = 34;  // algorithm and SHA-256

  PrimaryKind primary = PrimaryKind::kEccP256;
  std::array<std::byte, kNameSize> primary_name{};
  PcrPolicy policy;
  CounterFields counter;
  std::vector<std::byte> object_public = {};   // TPM2B_PUBLIC
  std::vector<std::byte> object_private = {};  // TPM2B_PRIVATE

  // decode accepts what encode writes, and nothing else. kStorageError for what no program writes, kUnsupported for
  // what a newer one may.
  static Result<TpmHeader> decode(Bytes header);
  std::vector<std::byte> encode() const;

  // bound_part is all but the object: the object's sealed content holds its hash.
  std::vector<std::byte> bound_part() const;
};

}  // namespace wvds::keystore
