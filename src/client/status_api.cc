#include "client/guard.h"

using namespace wvds;

// Each text says what happened and what helps.
namespace {

constexpr const char* kUnknown =
    "The status is none of this library's. Check that header and library have the same version.";

#define WVDS_SAME(name, status) static_assert(name == static_cast<int>(Status::status))
WVDS_SAME(WVDS_SUCCESS, kSuccess);
WVDS_SAME(WVDS_INVALID_HEADER, kInvalidHeader);
WVDS_SAME(WVDS_INVALID_TYPE, kInvalidType);
WVDS_SAME(WVDS_INVALID_PAYLOAD, kInvalidPayload);
WVDS_SAME(WVDS_KEY_NOT_FOUND, kKeyNotFound);
WVDS_SAME(WVDS_CRYPTO_ERROR, kCryptoError);
WVDS_SAME(WVDS_DECRYPTION_FAILED, kDecryptionFailed);
WVDS_SAME(WVDS_RATE_LIMITED, kRateLimited);
WVDS_SAME(WVDS_NONCE_REUSE, kNonceReuse);
WVDS_SAME(WVDS_PAYLOAD_TOO_LARGE, kPayloadTooLarge);
WVDS_SAME(WVDS_DENIED, kDenied);
WVDS_SAME(WVDS_WRONG_KEY_TYPE, kWrongKeyType);
WVDS_SAME(WVDS_WRONG_KEY_USAGE, kWrongKeyUsage);
WVDS_SAME(WVDS_KEY_USED_UP, kKeyUsedUp);
WVDS_SAME(WVDS_LIMIT_REACHED, kLimitReached);
WVDS_SAME(WVDS_STORAGE_ERROR, kStorageError);
WVDS_SAME(WVDS_NOT_READY, kNotReady);
WVDS_SAME(WVDS_SIGNATURE_INVALID, kSignatureInvalid);
WVDS_SAME(WVDS_UNSUPPORTED, kUnsupported);
WVDS_SAME(WVDS_INTERNAL_ERROR, kInternalError);
WVDS_SAME(WVDS_KEY_NOT_VALID, kKeyNotValid);
WVDS_SAME(WVDS_CERTIFICATE_NOT_FOUND, kCertificateNotFound);
WVDS_SAME(WVDS_INVALID_ARGUMENT, kInvalidArgument);
WVDS_SAME(WVDS_BUFFER_TOO_SMALL, kBufferTooSmall);
WVDS_SAME(WVDS_TIMEOUT, kTimeout);
WVDS_SAME(WVDS_DISCONNECTED, kDisconnected);
WVDS_SAME(WVDS_CONNECT_FAILED, kConnectFailed);
WVDS_SAME(WVDS_PROTOCOL_ERROR, kProtocolError);
WVDS_SAME(WVDS_BUSY, kBusy);
WVDS_SAME(WVDS_OUT_OF_MEMORY, kOutOfMemory);
WVDS_SAME(WVDS_STREAM_UNREADABLE, kStreamUnreadable);
WVDS_SAME(WVDS_STREAM_NEWER_VERSION, kStreamNewerVersion);
WVDS_SAME(WVDS_STREAM_TRUNCATED, kStreamTruncated);
WVDS_SAME(WVDS_STREAM_OUT_OF_ORDER, kStreamOutOfOrder);
WVDS_SAME(WVDS_STREAM_FOREIGN_CHUNK, kStreamForeignChunk);
WVDS_SAME(WVDS_STREAM_DATA_AFTER_END, kStreamDataAfterEnd);
WVDS_SAME(WVDS_CALLBACK_FAILED, kCallbackFailed);
#undef WVDS_SAME

}  // namespace

const char* wvds_status_name(wvds_status status) { return status_name(static_cast<Status>(status)); }

const char* wvds_status_text(wvds_status status) {
  switch (status) {
    case WVDS_SUCCESS: return "The call succeeded.";
    case WVDS_INVALID_HEADER:
      return "The service refused the frame of the request. Check that library and service have matching versions.";
    case WVDS_INVALID_TYPE:
      return "The service does not know this operation. wvds_capabilities lists what it offers; an older service may "
             "need an update.";
    case WVDS_INVALID_PAYLOAD:
      return "The service refused the content of the request: a length, a flag, a usage or a label is not allowed. "
             "Check the arguments against the function's description.";
    case WVDS_KEY_NOT_FOUND:
      return "There is no such key for this caller. Check the id, whether the key died with its session or with a "
             "restart of the service, and whether its owner granted it to this caller.";
    case WVDS_CRYPTO_ERROR: return "The cryptographic library refused the operation. The service's log says more.";
    case WVDS_DECRYPTION_FAILED:
      return "The tag is not right: the data was changed, or key or AAD are not those it was encrypted with.";
    case WVDS_RATE_LIMITED:
      return "This caller sent too many requests. Wait a little longer than the cool-down (100 ms by default) and send "
             "fewer, or have its limit raised in the service's configuration.";
    case WVDS_NONCE_REUSE:
      return "A message with this nonce was decrypted before with this key: a replay. For data that is read more than "
             "once, make the key with WVDS_KEY_REPLAY_WINDOW_OFF.";
    case WVDS_PAYLOAD_TOO_LARGE:
      return "The data does not fit into one request. Encrypt it as a stream (wvds_stream_encrypt), or sign its mu "
             "(WVDS_MLDSA_EXTERNAL_MU).";
    case WVDS_DENIED:
      return "This caller may not do that: the service's configuration does not grant it, or the operating system "
             "keeps "
             "this user from the service's address. Have it granted there.";
    case WVDS_WRONG_KEY_TYPE: return "The key's algorithm cannot do this operation. wvds_key_info tells the algorithm.";
    case WVDS_WRONG_KEY_USAGE:
      return "The key was not made for this use, or it is retired. wvds_key_info tells its usages and state; make a "
             "key "
             "with the usage that is needed.";
    case WVDS_KEY_USED_UP:
      return "The newest version of the key was used as often as it may be. Rotate the key (wvds_key_rotate), or make "
             "a "
             "new one where it can't be rotated.";
    case WVDS_LIMIT_REACHED:
      return "A limit of this caller is reached: sessions, keys, keys a minute, versions of a key, memory for replay "
             "windows or room in the store. Delete what is no longer needed, or have the limit raised.";
    case WVDS_STORAGE_ERROR:
      return "The service could not read or write its key store; nothing was changed durably. Its log names the cause.";
    case WVDS_NOT_READY: return "The service is starting or stopping. Try again shortly.";
    case WVDS_SIGNATURE_INVALID: return "The signature is not valid for this message, context and public key.";
    case WVDS_UNSUPPORTED:
      return "The service has no provider for this algorithm or key encoding. wvds_capabilities lists what it has.";
    case WVDS_INTERNAL_ERROR:
      return "A defect of the service or of this library. The service's log says more; please report it.";
    case WVDS_KEY_NOT_VALID:
      return "The key's dates don't allow this now: it is too early, or too late to protect anything new with it, or "
             "the "
             "service does not know the time. wvds_key_info tells the dates; make a new key.";
    case WVDS_CERTIFICATE_NOT_FOUND:
      return "est_service has no such certificate: its configuration has none of this name, or it was not enrolled "
             "yet. "
             "wvds_est_status tells which there are and what holds them up.";
    case WVDS_INVALID_ARGUMENT:
      return "An argument is not allowed: NULL, a handle that is none, or a value out of range. Nothing was sent.";
    case WVDS_BUFFER_TOO_SMALL:
      return "The output does not fit its buffer. The header's size macros give the size that is enough.";
    case WVDS_TIMEOUT:
      return "The answer did not come in time and will be dropped; the work may still be done. Try again, or allow "
             "more "
             "time (wvds_set_timeout).";
    case WVDS_DISCONNECTED:
      return "The connection to the service is lost, and with it the session keys. Call wvds_reconnect.";
    case WVDS_CONNECT_FAILED:
      return "The service could not be reached. Check that it runs and that the address is the one in its "
             "configuration.";
    case WVDS_PROTOCOL_ERROR:
      return "The service sent an answer that breaks the protocol. Check that library and service have matching "
             "versions, and that the service is genuine.";
    case WVDS_BUSY:
      return "All slots of the session are in use. Collect and release calls, or wait for the service to finish "
             "abandoned ones.";
    case WVDS_OUT_OF_MEMORY: return "The library could not get memory.";
    case WVDS_STREAM_UNREADABLE:
      return "This is no encrypted stream, or it was changed: its header or the head of a chunk is not what the format "
             "allows.";
    case WVDS_STREAM_NEWER_VERSION:
      return "The stream has a version or an algorithm that this library does not know. Update the library, or check "
             "that the stream was not changed.";
    case WVDS_STREAM_TRUNCATED:
      return "The stream ends before its last chunk: a part is missing. Get the whole of it again.";
    case WVDS_STREAM_OUT_OF_ORDER:
      return "A chunk of the stream is missing, repeated or in another's place. Get the whole of it again.";
    case WVDS_STREAM_FOREIGN_CHUNK:
      return "A chunk belongs to another stream, or the stream was changed. Get the whole of it again.";
    case WVDS_STREAM_DATA_AFTER_END:
      return "There is more behind the stream's last chunk. Give each stream on its own.";
    case WVDS_CALLBACK_FAILED:
      return "The caller's own function for reading or writing stopped the stream. It knows the reason.";
  }
  return kUnknown;
}
