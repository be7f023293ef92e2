#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// The op table: every request type of protocol v1. A type that is not here is INVALID_TYPE.
namespace wvds::protocol {

enum class Operation : uint8_t {
  kAesEncrypt = 0x01,
  kAesDecrypt = 0x02,
  kMlDsaSign = 0x10,
  kMlDsaVerify = 0x11,
  kEcdsaSign = 0x18,
  kEcdsaVerify = 0x19,
  kMlKemKeygen = 0x20,
  kMlKemEncaps = 0x21,
  kMlKemDecaps = 0x22,
  kMlKemEncapsToKey = 0x23,
  kMlKemDecapsToKey = 0x24,
  kKeyGenerate = 0x30,
  kKeyImport = 0x31,
  kKeyPublic = 0x32,
  kKeyList = 0x33,
  kKeyInfo = 0x34,
  kKeyRotate = 0x35,
  kKeyRetire = 0x36,
  kKeyDelete = 0x37,
  kRandom = 0x40,
  kPing = 0x50,
  kStatus = 0x51,
  kCapabilities = 0x52,
  kMetrics = 0x53,
  kEstStatus = 0x60,
  kEstCertificate = 0x61,
  kEstCaCertificates = 0x62,
  kEstWait = 0x63,
  kEstRenew = 0x64,
  kEstRelay = 0x65,
};

// Daemon is who answers an operation. PING, which stands with crypto_service's, both answer.
enum class Daemon : uint8_t { kCryptoService, kEstService };

struct OperationInfo {
  Operation operation;
  const char* name;         // as docs/protocol.md prints it: "AES_ENCRYPT"
  const char* config_name;  // as config.json and the tool write it: "aes-encrypt"
  Daemon daemon = Daemon::kCryptoService;
};

// operations lists the table in the order of type values; static storage.
std::span<const OperationInfo> operations();

// operations_of lists those of one daemon, in the same order.
std::span<const OperationInfo> operations_of(Daemon daemon);

// operation_info returns nullptr for a type that is not in the table.
const OperationInfo* operation_info(uint8_t type);
std::optional<Operation> operation_from_config_name(std::string_view name);

// config_names lists the words that config.json has for all operations, those of static storage.
std::vector<std::string_view> config_names();

}  // namespace wvds::protocol
