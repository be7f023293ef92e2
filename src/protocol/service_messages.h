#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"

// RANDOM (0x40), PING (0x50), STATUS (0x51). capability_messages.h has CAPABILITIES.
namespace wvds::protocol {

// RANDOM payload: length u32, 1 to 65,536. The answer is that many bytes of the service's random generator (SP
// 800-90A).
struct RandomRequest {
  uint32_t length = 0;

  static Result<RandomRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// PING, STATUS and CAPABILITIES have an empty payload; the PING answer is empty too.
Result<> decode_empty_request(UntrustedBytes payload);

enum class FipsMode : uint8_t { kOff = 0, kPreferred = 1, kRequired = 2 };
enum class FipsState : uint8_t {
  kOff = 0,          // not asked for
  kActive = 1,       // self-test passed, every operation comes from the FIPS provider
  kUnavailable = 2,  // preferred, but not to be had: the default provider serves
};

// STATUS answer: fips mode u8, fips state u8, locked memory u8 (1: secrets are locked), place of stored keys u8
// (KeyPlace), epoch u64, uptime in milliseconds u64, sessions u32, session limit u32, persistent keys u32, volatile and
// session keys u32, then texts, each u16 length and UTF-8: service version, crypto library version, crypto provider,
// and u16 count of warnings, each such a text.
struct StatusAnswer {
  FipsMode fips_mode = FipsMode::kOff;
  FipsState fips_state = FipsState::kOff;
  bool locked_memory = false;
  uint8_t place = 0;
  uint64_t epoch = 0;
  uint64_t uptime_ms = 0;
  uint32_t sessions = 0;
  uint32_t session_limit = 0;
  uint32_t persistent_keys = 0;
  uint32_t memory_keys = 0;
  std::string service_version;
  std::string library_version;
  std::string provider;
  std::vector<std::string> warnings;

  static Result<StatusAnswer> decode(UntrustedBytes payload);

  // encode shows bytes of a text that can't be printed as '?': a warning may quote anybody.
  Result<size_t> encode(MutableBytes out) const;
};

}  // namespace wvds::protocol
