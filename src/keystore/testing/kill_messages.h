#pragma once

#include <cstdint>

// What the store's child process of the SIGKILL test tells its parent over a pipe: before each change what it is about
// to do, after it that it was acknowledged.
namespace wvds::keystore::testing {

enum class KillStep : uint8_t { kGenerate = 1, kGenerateInMemory, kRotate, kRetire, kRemove, kUse };

struct KillMessage {
  KillStep step = KillStep::kGenerate;
  uint8_t acknowledged = 0;
  uint16_t zero = 0;
  uint32_t id = 0;           // 0 where it is not known yet
  uint32_t version = 0;      // the newest after the change
  uint32_t uses = 0;         // of that version, all that were ever taken by this child
  uint64_t fingerprint = 0;  // of the newest version's secret
};
static_assert(sizeof(KillMessage) == 24);

}  // namespace wvds::keystore::testing
