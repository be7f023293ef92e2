#include "tools/wvds/capabilities_report.h"
#include "tools/wvds/commands.h"
#include "tools/wvds/metrics_report.h"
#include "tools/wvds/report.h"
#include "tools/wvds/status_report.h"

namespace wvds::tool {
namespace {

struct StatusOptions {
  uint32_t wait_seconds = 0;
  bool as_json = false;
};

// A client may be granted the state without the counters, which show what other clients do.
Outcome<> add_metrics(const Session& session, Report& report) {
  auto metrics = std::make_unique<wvds_metrics>();
  const wvds_status status = wvds_metrics_get(session.get(), metrics.get());
  if (status == WVDS_DENIED || status == WVDS_INVALID_TYPE) {  // not granted, or an older service
    report.only_json({{"metrics", nullptr}});
    return {};
  }
  TOOL_TRY(check(status, "status"));
  report.part("metrics", metrics_report(*metrics));
  return {};
}

Outcome<> run_status(const Tool& tool, const StatusOptions& options) {
  TOOL_ASSIGN(session, connect_within(tool.service, options.wait_seconds));
  wvds_service_state state{};
  wvds_capability_list offer{};
  TOOL_TRY(check(wvds_status_get(session.get(), &state), "status"));
  TOOL_TRY(check(wvds_capabilities(session.get(), &offer), "status"));
  Report report = status_report(state, offer);
  TOOL_TRY(add_metrics(session, report));
  return print(report, options.as_json);
}

Outcome<> run_capabilities(const Tool& tool, const StatusOptions& options) {
  TOOL_ASSIGN(session, connect(tool.service));
  wvds_capability_list offer{};
  TOOL_TRY(check(wvds_capabilities(session.get(), &offer), "capabilities"));
  return print(capabilities_report(offer), options.as_json);
}

}  // namespace

void add_status_command(CLI::App& app, Tool& tool) {
  auto* command = app.add_subcommand("status", "Say how the service is");
  auto options = std::make_shared<StatusOptions>();
  command->add_option("--wait", options->wait_seconds, "Wait this many seconds for the service to come up")
      ->check(CLI::Range(0u, 86400u));
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_status);

  auto* capabilities = app.add_subcommand("capabilities", "Say what the service can do for you, and how much");
  auto asking = std::make_shared<StatusOptions>();
  add_json(capabilities, asking->as_json);
  when_chosen(capabilities, tool, asking, run_capabilities);
}

}  // namespace wvds::tool
