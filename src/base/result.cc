#include "base/result.h"

namespace wvds {

const char* status_name(Status status) {
  switch (status) {
    case Status::kSuccess: return "SUCCESS";
    case Status::kInvalidHeader: return "INVALID_HEADER";
    case Status::kInvalidType: return "INVALID_TYPE";
    case Status::kInvalidPayload: return "INVALID_PAYLOAD";
    case Status::kKeyNotFound: return "KEY_NOT_FOUND";
    case Status::kCryptoError: return "CRYPTO_ERROR";
    case Status::kDecryptionFailed: return "DECRYPTION_FAILED";
    case Status::kRateLimited: return "RATE_LIMITED";
    case Status::kNonceReuse: return "NONCE_REUSE";
    case Status::kPayloadTooLarge: return "PAYLOAD_TOO_LARGE";
    case Status::kDenied: return "DENIED";
    case Status::kWrongKeyType: return "WRONG_KEY_TYPE";
    case Status::kWrongKeyUsage: return "WRONG_KEY_USAGE";
    case Status::kKeyUsedUp: return "KEY_USED_UP";
    case Status::kLimitReached: return "LIMIT_REACHED";
    case Status::kStorageError: return "STORAGE_ERROR";
    case Status::kNotReady: return "NOT_READY";
    case Status::kSignatureInvalid: return "SIGNATURE_INVALID";
    case Status::kUnsupported: return "UNSUPPORTED";
    case Status::kInternalError: return "INTERNAL_ERROR";
    case Status::kKeyNotValid: return "KEY_NOT_VALID";
    case Status::kCertificateNotFound: return "CERTIFICATE_NOT_FOUND";
    case Status::kInvalidArgument: return "INVALID_ARGUMENT";
    case Status::kBufferTooSmall: return "BUFFER_TOO_SMALL";
    case Status::kTimeout: return "TIMEOUT";
    case Status::kDisconnected: return "DISCONNECTED";
    case Status::kConnectFailed: return "CONNECT_FAILED";
    case Status::kProtocolError: return "PROTOCOL_ERROR";
    case Status::kBusy: return "BUSY";
    case Status::kOutOfMemory: return "OUT_OF_MEMORY";
    case Status::kStreamUnreadable: return "STREAM_UNREADABLE";
    case Status::kStreamNewerVersion: return "STREAM_NEWER_VERSION";
    case Status::kStreamTruncated: return "STREAM_TRUNCATED";
    case Status::kStreamOutOfOrder: return "STREAM_OUT_OF_ORDER";
    case Status::kStreamForeignChunk: return "STREAM_FOREIGN_CHUNK";
    case Status::kStreamDataAfterEnd: return "STREAM_DATA_AFTER_END";
    case Status::kCallbackFailed: return "CALLBACK_FAILED";
  }
  return "UNKNOWN_STATUS";
}

}  // namespace wvds
