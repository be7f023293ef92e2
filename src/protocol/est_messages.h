#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"

// EST_STATUS (0x60), EST_CERTIFICATE (0x61), EST_CA_CERTIFICATES (0x62), EST_WAIT (0x63), EST_RENEW (0x64) and
// EST_RELAY (0x65): what est_service answers. EST_STATUS' request is empty (decode_empty_request), and so is
// EST_RENEW's answer. Times are Unix seconds, 0 where there is none.
namespace wvds::protocol {

inline constexpr size_t kMaxEstCertificates = 16;
inline constexpr size_t kMaxEstNameSize = 32;
inline constexpr size_t kMaxEstSubjectSize = 256;
inline constexpr size_t kMaxEstFailureSize = 32;
inline constexpr size_t kMaxEstDetailSize = 512;
inline constexpr size_t kMaxEstAdviceSize = 256;
inline constexpr size_t kMaxEstPemSize = (1 << 20) - 1;  // of a chain, and of all CA certificates
inline constexpr size_t kMaxEstPartSize = 65536;         // of one answer's piece of them
inline constexpr uint32_t kMaxEstWaitMs = 1000;          // that one request waits in the service
inline constexpr size_t kMaxRelayBytes = 32768;          // that one EST_RELAY carries
inline constexpr size_t kMaxRelayTextSize = 256;
inline constexpr size_t kMaxRelayHostSize = 255;

enum class EstPhase : uint8_t { kMissing = 0, kWaiting = 1, kValid = 2, kDue = 3, kExpired = 4 };

// EstFailure is the last thing that went wrong. `name` is never empty.
struct EstFailure {
  std::string name;
  std::string detail;
  std::string advice;
  uint64_t at = 0;

  bool operator==(const EstFailure&) const = default;
};

struct EstCertificateState {
  EstPhase phase = EstPhase::kMissing;
  Algorithm key_type = Algorithm::kNone;
  uint32_t key_id = 0;
  uint32_t previous_key_id = 0;
  uint32_t failures = 0;
  uint64_t not_before = 0;
  uint64_t not_after = 0;
  uint64_t renew_at = 0;
  uint64_t next_attempt = 0;
  std::array<std::byte, 32> fingerprint{};  // SHA-256, zeros without a certificate
  std::string name;
  std::string subject;
  std::optional<EstFailure> failure;

  bool operator==(const EstCertificateState&) const = default;
};

// EstStatusAnswer is EST_STATUS' answer.
struct EstStatusAnswer {
  uint64_t generation = 0;
  uint64_t attempts = 0;
  uint64_t ca_fetched_at = 0;
  std::optional<EstFailure> ca_failure;
  std::vector<EstCertificateState> certificates;

  static Result<EstStatusAnswer> decode(UntrustedBytes payload);

  // encode cuts texts to what the answer carries, and shows what can't be printed as '?': a failure quotes a server.
  // Certificates beyond kMaxEstCertificates are kInvalidArgument.
  Result<size_t> encode(MutableBytes out) const;
};

enum class EstWhich : uint8_t { kCurrent = 0, kPrevious = 1 };

// EstPart says which piece of a text is asked for. The first request has generation 0 and offset 0, those that follow
// have the first answer's generation.
struct EstPart {
  uint64_t generation = 0;
  uint32_t offset = 0;  // 0 without a generation
};

struct EstCertificateRequest {
  EstPart part;
  EstWhich which = EstWhich::kCurrent;
  std::string name;

  static Result<EstCertificateRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

struct EstCaCertificatesRequest {
  EstPart part;

  static Result<EstCaCertificatesRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// EstPartAnswer answers both: a piece of the text, as large as fits, empty when the generation is another by now.
struct EstPartAnswer {
  uint64_t generation = 0;
  uint32_t total = 0;   // bytes of the whole text, 1 to kMaxEstPemSize
  uint32_t key_id = 0;  // of the certificate; 0 for CA certificates
  UntrustedBytes bytes;

  static Result<EstPartAnswer> decode(UntrustedBytes payload);
};
Result<size_t> encode_est_part_answer(uint64_t generation, uint32_t total, uint32_t key_id, Bytes bytes,
                                      MutableBytes out);

// EstWaitRequest asks to be answered as soon as the generation is another than `known`, and after `milliseconds`, at
// most kMaxEstWaitMs, in any case.
struct EstWaitRequest {
  uint64_t known = 0;
  uint32_t milliseconds = 0;

  static Result<EstWaitRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

struct EstWaitAnswer {
  uint64_t generation = 0;

  static Result<EstWaitAnswer> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

inline constexpr uint8_t kEstRenewNow = 0x01;  // also where the certificate is not due

struct EstRenewRequest {
  uint8_t flags = 0;
  std::string name;  // empty: the CA certificates

  static Result<EstRenewRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// RelayEvent is what a relay tells of a connection.
enum class RelayEvent : uint8_t {
  kNone = 0,
  kConnected = 1,
  kSent = 2,
  kReceived = 3,  // with 1 to kMaxRelayBytes bytes
  kEnded = 4,     // the server sends nothing more
  kFailed = 5,    // with a text of at most kMaxRelayTextSize bytes that says why
};

// RelayTask is what a relay shall do.
enum class RelayTask : uint8_t { kNothing = 0, kConnect = 1, kSend = 2, kReceive = 3, kClose = 4 };

// EstRelayRequest tells what came of the last task and asks for the next one, for which the service waits at most
// `milliseconds`, at most kMaxEstWaitMs.
struct EstRelayRequest {
  uint32_t milliseconds = 0;
  RelayEvent event = RelayEvent::kNone;
  uint32_t connection = 0;  // 0 with kNone and never else
  UntrustedBytes bytes;

  static Result<EstRelayRequest> decode(UntrustedBytes payload);
};
Result<size_t> encode_est_relay_request(uint32_t milliseconds, RelayEvent event, uint32_t connection, Bytes bytes,
                                        MutableBytes out);

struct EstRelayAnswer {
  RelayTask task = RelayTask::kNothing;
  uint16_t port = 0;        // kConnect
  uint32_t connection = 0;  // 0 with kNothing and never else
  uint32_t most = 0;        // kReceive: how many bytes are wanted at the most
  UntrustedBytes bytes;     // kConnect: the host; kSend: 1 to kMaxRelayBytes bytes

  static Result<EstRelayAnswer> decode(UntrustedBytes payload);
};
Result<size_t> encode_est_relay_answer(RelayTask task, uint16_t port, uint32_t connection, uint32_t most, Bytes bytes,
                                       MutableBytes out);

}  // namespace wvds::protocol
