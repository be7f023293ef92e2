#pragma once

#include <optional>
#include <string>

#include "config/service_config.h"
#include "platform/wall_clock.h"
#include "tools/wvds/doctor/finding.h"
#include "wvds_crypto.h"

// What doctor thinks of what it saw: no files and no service here.
namespace wvds::tool {

// Space is what is free on the store's file system for others than root.
struct Space {
  uint64_t bytes = 0;
  uint64_t files = 0;
  bool counts_files = true;  // some file systems have no fixed number
};
Finding judge_space(const std::string& path, const Space& space);

// judge_clock takes the time of day, or nothing where the clock was never set.
Finding judge_clock(std::optional<platform::WallTime> time);

Finding judge_version(const std::string& service, const std::string& tool);

// judge_age compares when the file was written with when the service read it, in milliseconds of one clock.
Finding judge_age(const std::string& path, int64_t written_ms, int64_t read_ms);

// judge_locked_memory compares the limit of locked memory that a process has (nothing: none) with what the
// configuration wants. `is_exempt`: the limit does not bind it.
Finding judge_locked_memory(const config::LockedMemorySettings& wanted, std::optional<uint64_t> limit, bool is_exempt);

// judge_use adds a finding for a key version from 75 % of its limit on, and says whether it did.
bool judge_use(Findings& findings, const std::string& key, uint32_t version, uint64_t uses, uint64_t limit);

}  // namespace wvds::tool
