#include <limits>

#include "base/algorithm.h"
#include "client/guard.h"
#include "protocol/operations.h"

using namespace wvds;

namespace {

static_assert(WVDS_AES_256_GCM == static_cast<int>(Algorithm::kAes256Gcm));
static_assert(WVDS_MLDSA_44 == static_cast<int>(Algorithm::kMlDsa44));
static_assert(WVDS_MLDSA_65 == static_cast<int>(Algorithm::kMlDsa65));
static_assert(WVDS_MLDSA_87 == static_cast<int>(Algorithm::kMlDsa87));
static_assert(WVDS_MLKEM_512 == static_cast<int>(Algorithm::kMlKem512));
static_assert(WVDS_MLKEM_768 == static_cast<int>(Algorithm::kMlKem768));
static_assert(WVDS_MLKEM_1024 == static_cast<int>(Algorithm::kMlKem1024));
static_assert(WVDS_ECDSA_P256 == static_cast<int>(Algorithm::kEcdsaP256));
static_assert(WVDS_ECDSA_P384 == static_cast<int>(Algorithm::kEcdsaP384));

static_assert(WVDS_LIFETIME_DEFAULT == static_cast<int>(Lifetime::kDefault));
static_assert(WVDS_LIFETIME_SESSION == static_cast<int>(Lifetime::kSession));
static_assert(WVDS_LIFETIME_VOLATILE == static_cast<int>(Lifetime::kVolatile));
static_assert(WVDS_LIFETIME_PERSISTENT == static_cast<int>(Lifetime::kPersistent));

static_assert(WVDS_USAGE_ENCRYPT == static_cast<int>(Usage::kEncrypt));
static_assert(WVDS_USAGE_DECRYPT == static_cast<int>(Usage::kDecrypt));
static_assert(WVDS_USAGE_SIGN == static_cast<int>(Usage::kSign));
static_assert(WVDS_USAGE_VERIFY == static_cast<int>(Usage::kVerify));
static_assert(WVDS_USAGE_SIGN_MU == static_cast<int>(Usage::kSignMu));
static_assert(WVDS_USAGE_ENCAPSULATE == static_cast<int>(Usage::kEncapsulate));
static_assert(WVDS_USAGE_DECAPS_RAW == static_cast<int>(Usage::kDecapsRaw));
static_assert(WVDS_USAGE_DECAPS_TO_KEY == static_cast<int>(Usage::kDecapsToKey));
static_assert(WVDS_USAGE_TLS_AND_CSR == static_cast<int>(Usage::kTlsAndCsr));

}  // namespace

const char* wvds_library_version(void) { return WVDS_VERSION; }

const char* wvds_algorithm_name(wvds_algorithm algorithm) {
  if (algorithm > std::numeric_limits<uint8_t>::max()) return nullptr;
  const AlgorithmInfo* info = algorithm_info(static_cast<Algorithm>(algorithm));
  return info != nullptr ? info->name : nullptr;
}

wvds_algorithm wvds_algorithm_from_name(const char* name) {
  if (name == nullptr) return 0;
  return static_cast<wvds_algorithm>(algorithm_from_name(name).value_or(Algorithm::kNone));
}

const char* wvds_operation_name(wvds_operation operation) {
  if (operation > std::numeric_limits<uint8_t>::max()) return nullptr;
  const protocol::OperationInfo* info = protocol::operation_info(static_cast<uint8_t>(operation));
  return info != nullptr ? info->name : nullptr;
}
