#include "tools/wvds/doctor/judge.h"

#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;
constexpr uint64_t kTooLittle = 1 * kMegabyte;  // a change of the store needs room for the old and the new file
constexpr uint64_t kLittle = 32 * kMegabyte;
constexpr uint64_t kFewFiles = 100;
constexpr int64_t kClockSteps = 10;  // milliseconds: the file system's clock ticks more coarsely

constexpr const char* kFreeSpace = "free space on this file system: keys can't be made or counted without it";

std::string megabytes(uint64_t bytes) {
  return bytes < kMegabyte ? number_text(bytes >> 10) + " KB" : number_text(bytes / kMegabyte) + " MB";
}

}  // namespace

Finding judge_space(const std::string& path, const Space& space) {
  const std::string text = path + ": " + megabytes(space.bytes) + " free";
  const std::string files = path + ": only " + number_text(space.files) + " more files can be made";
  if (space.bytes < kTooLittle) return {Level::kProblem, "disk", text, kFreeSpace};
  if (space.counts_files && space.files == 0) return {Level::kProblem, "disk", files, kFreeSpace};
  if (space.bytes < kLittle) return {Level::kWarning, "disk", text, kFreeSpace};
  if (space.counts_files && space.files < kFewFiles) return {Level::kWarning, "disk", files, kFreeSpace};
  return {Level::kOk, "disk", text, ""};
}

Finding judge_clock(std::optional<platform::WallTime> time) {
  if (time) return {Level::kOk, "clock", "shows " + platform::time_text(time, {}), ""};
  return {Level::kWarning, "clock",
          "was never set: the log has no time of day, and \"older than the configuration\" can't be told",
          "set it (timedatectl set-time, or a time service)"};
}

Finding judge_version(const std::string& service, const std::string& tool) {
  if (service == tool) return {Level::kOk, "version", "service and tool are " + tool, ""};
  return {Level::kWarning, "version", "the running service is " + service + ", this tool is " + tool,
          "restart the service after an update, or use the tool of the service's version"};
}

Finding judge_age(const std::string& path, int64_t written_ms, int64_t read_ms) {
  if (written_ms <= read_ms + kClockSteps)
    return {Level::kOk, "config age", "the service has read the file as it is", ""};
  return {Level::kWarning, "config age", path + " was changed after the service read it",
          "reload the service (SIGHUP) or restart it"};
}

Finding judge_locked_memory(const config::LockedMemorySettings& wanted, std::optional<uint64_t> limit, bool is_exempt) {
  const std::string bytes = size_text(wanted.bytes);
  if (is_exempt || !limit || *limit >= wanted.bytes) {
    return {Level::kOk, "locked memory", "the limit allows the " + bytes + " of locked_memory.bytes", ""};
  }
  const bool is_required = wanted.mode == config::LockedMemory::kRequired;
  return {is_required ? Level::kProblem : Level::kWarning, "locked memory",
          "the limit of " + size_text(*limit) + " is below locked_memory.bytes, " + bytes,
          "LimitMEMLOCK=" + std::to_string(wanted.bytes * 2) + " in the service's unit, or ulimit -l " +
              std::to_string(wanted.bytes >> 9) + " before it starts"};
}

bool judge_use(Findings& findings, const std::string& key, uint32_t version, uint64_t uses, uint64_t limit) {
  if (limit == 0 || uses < limit - limit / 4) return false;
  const std::string text = key + ", version " + std::to_string(version) + ": " + number_text(uses) + " of " +
                           number_text(limit) + " encryptions are used";
  const std::string cure = "wvds key rotate KEY, or keys.rotate_at_percent in the configuration";
  if (uses >= limit) {
    findings.problem("key use", text, cure);
  } else {
    findings.warning("key use", text, cure);
  }
  return true;
}

}  // namespace wvds::tool
