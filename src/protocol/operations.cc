#include "protocol/operations.h"

#include <algorithm>
#include <array>

namespace wvds::protocol {
namespace {

constexpr std::array kOperations{
    OperationInfo{Operation::kAesEncrypt, "AES_ENCRYPT", "aes-encrypt"},
    OperationInfo{Operation::kAesDecrypt, "AES_DECRYPT", "aes-decrypt"},
    OperationInfo{Operation::kMlDsaSign, "MLDSA_SIGN", "mldsa-sign"},
    OperationInfo{Operation::kMlDsaVerify, "MLDSA_VERIFY", "mldsa-verify"},
    OperationInfo{Operation::kEcdsaSign, "ECDSA_SIGN", "ecdsa-sign"},
    OperationInfo{Operation::kEcdsaVerify, "ECDSA_VERIFY", "ecdsa-verify"},
    OperationInfo{Operation::kMlKemKeygen, "MLKEM_KEYGEN", "mlkem-keygen"},
    OperationInfo{Operation::kMlKemEncaps, "MLKEM_ENCAPS", "mlkem-encaps"},
    OperationInfo{Operation::kMlKemDecaps, "MLKEM_DECAPS", "mlkem-decaps"},
    OperationInfo{Operation::kMlKemEncapsToKey, "MLKEM_ENCAPS_TO_KEY", "mlkem-encaps-to-key"},
    OperationInfo{Operation::kMlKemDecapsToKey, "MLKEM_DECAPS_TO_KEY", "mlkem-decaps-to-key"},
    OperationInfo{Operation::kKeyGenerate, "KEY_GENERATE", "key-generate"},
    OperationInfo{Operation::kKeyImport, "KEY_IMPORT", "key-import"},
    OperationInfo{Operation::kKeyPublic, "KEY_PUBLIC", "key-public"},
    OperationInfo{Operation::kKeyList, "KEY_LIST", "key-list"},
    OperationInfo{Operation::kKeyInfo, "KEY_INFO", "key-info"},
    OperationInfo{Operation::kKeyRotate, "KEY_ROTATE", "key-rotate"},
    OperationInfo{Operation::kKeyRetire, "KEY_RETIRE", "key-retire"},
    OperationInfo{Operation::kKeyDelete, "KEY_DELETE", "key-delete"},
    OperationInfo{Operation::kRandom, "RANDOM", "random"},
    OperationInfo{Operation::kPing, "PING", "ping"},
    OperationInfo{Operation::kStatus, "STATUS", "status"},
    OperationInfo{Operation::kCapabilities, "CAPABILITIES", "capabilities"},
    OperationInfo{Operation::kMetrics, "METRICS", "metrics"},
    OperationInfo{Operation::kEstStatus, "EST_STATUS", "est-status", Daemon::kEstService},
    OperationInfo{Operation::kEstCertificate, "EST_CERTIFICATE", "est-certificate", Daemon::kEstService},
    OperationInfo{Operation::kEstCaCertificates, "EST_CA_CERTIFICATES", "est-ca-certificates", Daemon::kEstService},
    OperationInfo{Operation::kEstWait, "EST_WAIT", "est-wait", Daemon::kEstService},
    OperationInfo{Operation::kEstRenew, "EST_RENEW", "est-renew", Daemon::kEstService},
    OperationInfo{Operation::kEstRelay, "EST_RELAY", "est-relay", Daemon::kEstService},
};

static_assert(std::ranges::is_sorted(kOperations, {}, &OperationInfo::operation));
static_assert(std::ranges::is_sorted(kOperations, {}, &OperationInfo::daemon), "each daemon's stand together");

}  // namespace

std::span<const OperationInfo> operations() { return kOperations; }

std::span<const OperationInfo> operations_of(Daemon daemon) {
  const auto found = std::ranges::equal_range(kOperations, daemon, {}, &OperationInfo::daemon);
  return {found.begin(), found.end()};
}

const OperationInfo* operation_info(uint8_t type) {
  const auto* found =
      std::ranges::lower_bound(kOperations, static_cast<Operation>(type), {}, &OperationInfo::operation);
  return found != kOperations.end() && found->operation == static_cast<Operation>(type) ? found : nullptr;
}

std::optional<Operation> operation_from_config_name(std::string_view name) {
  for (const OperationInfo& info : kOperations) {
    if (info.config_name == name) return info.operation;
  }
  return std::nullopt;
}

std::vector<std::string_view> config_names() {
  std::vector<std::string_view> names;
  names.reserve(std::size(kOperations));
  for (const OperationInfo& info : kOperations) names.emplace_back(info.config_name);
  return names;
}

}  // namespace wvds::protocol
