#include "access/refusal.h"

namespace wvds::access {

LogLevel refusal_level(Status status) {
  switch (status) {
    case Status::kInternalError:
    case Status::kStorageError:
    case Status::kCryptoError: return LogLevel::kError;
    case Status::kDenied:
    case Status::kDecryptionFailed:
    case Status::kNonceReuse:
    case Status::kKeyUsedUp:
    case Status::kKeyNotValid:
    case Status::kLimitReached: return LogLevel::kWarning;
    default: return LogLevel::kInfo;
  }
}

channel::Verdict verdict_on(Status status) {
  switch (status) {
    case Status::kInvalidHeader:
    case Status::kInvalidType:
    case Status::kInvalidPayload:
    case Status::kPayloadTooLarge:
    case Status::kDenied:
    case Status::kRateLimited: return channel::Verdict::kInvalid;
    default: return channel::Verdict::kValid;
  }
}

Error wire_error(Error error) {
  if (static_cast<uint8_t>(error.status) < 0x80) return error;
  return {Status::kInternalError, std::string(status_name(error.status)) + " " + error.detail};
}

}  // namespace wvds::access
