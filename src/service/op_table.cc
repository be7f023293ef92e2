#include "service/op_table.h"

#include <array>

#include "service/aes_handlers.h"
#include "service/capability_handler.h"
#include "service/ecdsa_handlers.h"
#include "service/key_handlers.h"
#include "service/metrics_handler.h"
#include "service/mldsa_handlers.h"
#include "service/mlkem_handlers.h"
#include "service/service_handlers.h"

namespace wvds::service {
namespace {

using protocol::Operation;

constexpr std::array kOpTable{
    OpEntry{Operation::kAesEncrypt, handle_aes_encrypt, false, false},
    OpEntry{Operation::kAesDecrypt, handle_aes_decrypt, false, false},
    OpEntry{Operation::kMlDsaSign, handle_mldsa_sign, false, false},
    OpEntry{Operation::kMlDsaVerify, handle_mldsa_verify, false, false},
    OpEntry{Operation::kEcdsaSign, handle_ecdsa_sign, false, false},
    OpEntry{Operation::kEcdsaVerify, handle_ecdsa_verify, false, false},
    OpEntry{Operation::kMlKemKeygen, handle_mlkem_keygen, false, false},
    OpEntry{Operation::kMlKemEncaps, handle_mlkem_encaps, false, false},
    OpEntry{Operation::kMlKemDecaps, handle_mlkem_decaps, false, false},
    OpEntry{Operation::kMlKemEncapsToKey, handle_mlkem_encaps_to_key, false, false},
    OpEntry{Operation::kMlKemDecapsToKey, handle_mlkem_decaps_to_key, false, false},
    OpEntry{Operation::kKeyGenerate, handle_key_generate, true, false},
    OpEntry{Operation::kKeyImport, handle_key_import, true, true},
    OpEntry{Operation::kKeyPublic, handle_key_public, false, false},
    OpEntry{Operation::kKeyList, handle_key_list, false, false},
    OpEntry{Operation::kKeyInfo, handle_key_info, false, false},
    OpEntry{Operation::kKeyRotate, handle_key_rotate, true, false},
    OpEntry{Operation::kKeyRetire, handle_key_retire, true, false},
    OpEntry{Operation::kKeyDelete, handle_key_delete, true, false},
    OpEntry{Operation::kRandom, handle_random, false, false},
    OpEntry{Operation::kPing, handle_ping, false, false},
    OpEntry{Operation::kStatus, handle_status, false, false},
    OpEntry{Operation::kCapabilities, handle_capabilities, false, false},
    OpEntry{Operation::kMetrics, handle_metrics, false, false},
};

// index_of_type: where a type stands in the table, one more than the index; 0 for none.
constexpr std::array<uint8_t, 256> kIndexOfType = [] {
  std::array<uint8_t, 256> index{};
  for (size_t i = 0; i < kOpTable.size(); ++i)
    index[static_cast<uint8_t>(kOpTable[i].operation)] = static_cast<uint8_t>(i + 1);
  return index;
}();

}  // namespace

std::span<const OpEntry> op_table() { return kOpTable; }

size_t op_row(const OpEntry* entry) {
  return entry == nullptr ? kNoOperation : static_cast<size_t>(entry - kOpTable.data()) + 1;
}

const OpEntry* op_entry(uint8_t type) {
  const uint8_t index = kIndexOfType[type];
  return index == 0 ? nullptr : &kOpTable[index - 1];
}

}  // namespace wvds::service
