#include <array>
#include <sstream>

#include "tools/wvds/commands.h"
#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

struct StatusOptions {
  uint32_t wait_seconds = 0;
};

std::string fips_text(const wvds_service_state& state) {
  constexpr std::array kModes{"off", "preferred", "required"};
  const std::string mode = state.fips_mode < kModes.size() ? kModes[state.fips_mode] : "unknown";
  switch (state.fips_state) {
    case WVDS_FIPS_ACTIVE: return "active: self-tests passed (mode: " + mode + ")";
    case WVDS_FIPS_UNAVAILABLE: return "NOT ACTIVE: the FIPS provider is not to be had (mode: " + mode + ")";
    default: return "off";
  }
}

std::string duration_text(uint64_t milliseconds) {
  const uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 86400) return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
  return std::to_string(seconds / 86400) + " d " + std::to_string(seconds / 3600 % 24) + " h";
}

std::string rate_text(const wvds_capability_list& offer) {
  if (offer.requests_per_second == 0) return "no limit";
  return number_text(offer.requests_per_second) + " requests a second, burst " + number_text(offer.burst);
}

std::string operations_text(const wvds_capability_list& offer) {
  std::string text;
  for (uint32_t i = 0; i < offer.num_operations && i < sizeof offer.operations; ++i) {
    const char* name = wvds_operation_name(offer.operations[i]);
    text += (i == 0 ? "" : (i % 5 == 0 ? "\n               " : " ")) + std::string(name == nullptr ? "?" : name);
  }
  return text;
}

std::string warnings_text(const wvds_service_state& state) {
  if (state.num_warnings == 0) return "none";
  std::istringstream lines(state.warnings);
  std::string text, line;
  while (std::getline(lines, line)) text += (text.empty() ? "" : "\n               ") + line;
  return text;
}

void add_line(std::string& text, const std::string& name, const std::string& value) {
  text += padded(name, 15) + value + "\n";
}

std::string describe(const wvds_service_state& state, const wvds_capability_list& offer) {
  std::string text;
  add_line(text, "service", std::string(state.service_version) + ", up " + duration_text(state.uptime_ms));
  add_line(text, "fips", fips_text(state));
  add_line(text, "provider", state.provider);
  add_line(text, "library", state.library_version);
  add_line(text, "memory", state.memory_is_locked != 0 ? "locked: secrets can't reach the swap space" : "NOT LOCKED");
  add_line(text, "key store", place_text(state.place));
  add_line(text, "keys",
           number_text(state.num_persistent_keys) + " stored, " + number_text(state.num_memory_keys) + " in memory");
  add_line(text, "sessions", number_text(state.num_sessions) + " of " + number_text(state.max_sessions));
  add_line(text, "rate limit", rate_text(offer));
  add_line(text, "you may", operations_text(offer));
  add_line(text, "warnings", warnings_text(state));
  return text;
}

Outcome<> run_status(const Tool& tool, const StatusOptions& options) {
  TOOL_ASSIGN(session, connect_within(tool.service, options.wait_seconds));
  wvds_service_state state{};
  wvds_capability_list offer{};
  TOOL_TRY(check(wvds_status_get(session.get(), &state), "status"));
  TOOL_TRY(check(wvds_capabilities(session.get(), &offer), "status"));
  return write_text(describe(state, offer));
}

}  // namespace

void add_status_command(CLI::App& app, Tool& tool) {
  auto* command = app.add_subcommand("status", "Say how the service is");
  auto options = std::make_shared<StatusOptions>();
  command->add_option("--wait", options->wait_seconds, "Wait this many seconds for the service to come up")
      ->check(CLI::Range(0u, 86400u));
  when_chosen(command, tool, options, run_status);
}

}  // namespace wvds::tool
