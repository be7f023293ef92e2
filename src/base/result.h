#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace wvds {

// Status is the one error vocabulary of the product: what a function returns inside, what an answer frame carries
// and what the C API hands out. Values below 0x80 travel on the wire and are fixed (docs/protocol.md); values from
// 0x80 are made by the client library and never travel.
enum class Status : uint8_t {
  kSuccess = 0x00,
  kInvalidHeader = 0x01,
  kInvalidType = 0x02,
  kInvalidPayload = 0x03,
  kKeyNotFound = 0x04,
  kCryptoError = 0x05,
  kDecryptionFailed = 0x06,
  kRateLimited = 0x07,
  kNonceReuse = 0x08,
  kPayloadTooLarge = 0x09,
  kDenied = 0x0A,            // the principal may not do this operation
  kWrongKeyType = 0x0B,      // the key's algorithm does not do this operation
  kWrongKeyUsage = 0x0C,     // the key was not made for this usage, or is retired
  kKeyUsedUp = 0x0D,         // the key version reached its use limit: rotate it
  kLimitReached = 0x0E,      // sessions, keys, window memory or store bytes of this principal
  kStorageError = 0x0F,      // nothing was changed durably
  kNotReady = 0x10,          // the service is starting or stopping: try again
  kSignatureInvalid = 0x11,  // verification ran and the signature is not valid
  kUnsupported = 0x12,       // this service has no provider for the algorithm
  kInternalError = 0x13,     // a defect of the service; its log says more
  kKeyNotValid = 0x14,       // before or after the key's dates, or they can't be compared with the time
  // est_service has no certificate of this name, or none yet
  kCertificateNotFound = 0x15,

  kInvalidArgument = 0x80,
  kBufferTooSmall = 0x81,
  kTimeout = 0x82,
  kDisconnected = 0x83,
  kConnectFailed = 0x84,
  kProtocolError = 0x85,
  kBusy = 0x86,
  kOutOfMemory = 0x87,
  kStreamUnreadable = 0x88,  // the stream statuses: docs/stream-format.md
  kStreamNewerVersion = 0x89,
  kStreamTruncated = 0x8A,
  kStreamOutOfOrder = 0x8B,
  kStreamForeignChunk = 0x8C,
  kStreamDataAfterEnd = 0x8D,
  kCallbackFailed = 0x8E,
};

// The service's statuses are all values up to this one.
inline constexpr Status kLastServiceStatus = Status::kCertificateNotFound;

// status_name returns the field's name of a status, as docs/protocol.md prints it ("KEY_NOT_FOUND"); static storage.
const char* status_name(Status status);

// Error is a status and a sentence for the log. The sentence never reaches a client and never holds a secret.
struct Error {
  Status status = Status::kInternalError;
  std::string detail;
};

// Result is a value or an Error. Ignoring one is a compile error.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

// fail builds the error side of any Result.
inline std::unexpected<Error> fail(Status status, std::string detail = {}) {
  return std::unexpected<Error>(Error{status, std::move(detail)});
}

// forward_error hands a failed Result's error to a caller that returns a Result of another type.
template <class T>
std::unexpected<Error> forward_error(Result<T>& result) {
  return std::unexpected<Error>(std::move(result.error()));
}

}  // namespace wvds

// WVDS_TRY returns the error of `expression`, a Result, from the enclosing function when it failed.
#define WVDS_TRY(expression)                                                         \
  do {                                                                               \
    if (auto wvds_try_result = (expression); !wvds_try_result)                       \
      return ::std::unexpected<::wvds::Error>(::std::move(wvds_try_result.error())); \
  } while (false)

// WVDS_ASSIGN declares `variable` from the value of `expression`, a Result, or returns its error.
#define WVDS_ASSIGN(variable, expression) WVDS_ASSIGN_AT(variable, expression, __LINE__)
#define WVDS_ASSIGN_AT(variable, expression, line) WVDS_ASSIGN_NAMED(variable, expression, line)
#define WVDS_ASSIGN_NAMED(variable, expression, line)                                                        \
  auto wvds_assign_##line = (expression);                                                                    \
  if (!wvds_assign_##line) return ::std::unexpected<::wvds::Error>(::std::move(wvds_assign_##line.error())); \
  auto variable = ::std::move(*wvds_assign_##line)
