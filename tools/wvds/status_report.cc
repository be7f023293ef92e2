#include "tools/wvds/status_report.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "tools/wvds/capabilities_report.h"
#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

std::string fips_text(const wvds_service_state& state) {
  const std::string mode = "(mode: " + fips_mode_word(state.fips_mode) + ")";
  switch (state.fips_state) {
    case WVDS_FIPS_ACTIVE: return "active: self-tests passed " + mode;
    case WVDS_FIPS_UNAVAILABLE: return "NOT ACTIVE: the FIPS provider is not to be had " + mode;
    default: return "off";
  }
}

// Numbers above 2^53 are not safe in JSON.
std::string hex_text(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

void add_service(Report& report, const wvds_service_state& state) {
  report.line(
      "service", std::string(state.service_version) + ", up " + duration_text(state.uptime_ms),
      {{"service_version", state.service_version}, {"uptime_ms", state.uptime_ms}, {"epoch", hex_text(state.epoch)}});
  report.line("fips", fips_text(state),
              {{"fips_mode", fips_mode_word(state.fips_mode)}, {"fips_state", fips_state_word(state.fips_state)}});
  report.line("provider", state.provider, {{"provider", state.provider}});
  report.line("library", state.library_version, {{"library_version", state.library_version}});
  report.line("memory", state.memory_is_locked != 0 ? "locked: secrets can't reach the swap space" : "NOT LOCKED",
              {{"memory_is_locked", state.memory_is_locked != 0}});
  report.line("key store", place_text(state.place), {{"place", place_word(state.place)}});
  report.line("keys",
              number_text(state.num_persistent_keys) + " stored, " + number_text(state.num_memory_keys) + " in memory",
              {{"persistent_keys", state.num_persistent_keys}, {"memory_keys", state.num_memory_keys}});
  report.line("sessions", number_text(state.num_sessions) + " of " + number_text(state.max_sessions),
              {{"sessions", state.num_sessions}, {"max_sessions", state.max_sessions}});
}

// Algorithms of an engine that the configuration names are outside FIPS although FIPS is active.
void add_outside_fips(Report& report, const wvds_service_state& state, const wvds_capability_list& offer) {
  std::vector<std::string> outside;
  for (uint32_t i = 0; i < std::min(offer.num_algorithms, WVDS_MAX_ALGORITHMS); ++i) {
    if (offer.algorithms[i].is_inside_fips == 0) outside.push_back(algorithm_text(offer.algorithms[i].algorithm));
  }
  const bool is_mixed = state.fips_state == WVDS_FIPS_ACTIVE && !outside.empty();
  if (is_mixed) report.only_text(padded("OUTSIDE FIPS", 15) + lines_of(outside, ", ", 4));
  report.only_json({{"outside_fips", outside}});
}

}  // namespace

std::vector<std::string> service_warnings(const wvds_service_state& state) {
  std::istringstream lines(state.warnings);
  std::vector<std::string> warnings;
  for (std::string line; std::getline(lines, line);) warnings.push_back(line);
  if (warnings.size() < state.num_warnings) {
    warnings.push_back("and " + std::to_string(state.num_warnings - warnings.size()) + " more");
  }
  return warnings;
}

Report status_report(const wvds_service_state& state, const wvds_capability_list& offer) {
  Report report;
  add_service(report, state);
  add_outside_fips(report, state, offer);
  add_rights(report, offer);
  const auto warnings = service_warnings(state);
  report.line("warnings", warnings.empty() ? "none" : lines_of(warnings, "", 1), {{"warnings", warnings}});
  return report;
}

}  // namespace wvds::tool
