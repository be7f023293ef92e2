#include <ctime>

#include "tools/wvds/est/attempt.h"
#include "tools/wvds/est/est_report.h"

// est cacerts, est certificate
namespace wvds::tool {
namespace {

struct PemOptions {
  std::string name;
  bool is_previous = false;
  bool refresh = false;
  uint32_t wait_seconds = 180;
  Output output;
};

Outcome<> fetch(const Tool& tool, const Session& session, uint32_t wait_seconds) {
  const std::string what = "the CA certificates";
  TOOL_ASSIGN(before, ask_est(session, tool.service.timeout_ms));
  const auto asked_at = static_cast<uint64_t>(std::time(nullptr));
  TOOL_TRY(check_est(waiting_out([&] { return wvds_est_renew(session.get(), nullptr, 0); }), what));
  Ended ended = Ended::kNotYet;
  const auto is_done = [&](const wvds_est_state& now) {
    ended = how_fetch_ended(*before, now, asked_at);
    return ended != Ended::kNotYet;
  };
  TOOL_ASSIGN(after, until_true(session, wait_seconds, what, is_done));
  if (ended == Ended::kInstalled) return {};
  return failed(what + ": " + failure_text(after->ca_failure));
}

Outcome<> run_cacerts(const Tool& tool, const PemOptions& options) {
  TOOL_TRY(check_output(options.output));
  TOOL_ASSIGN(session, connect_est(tool));
  if (options.refresh) TOOL_TRY(fetch(tool, session, options.wait_seconds));
  Buffer pem(WVDS_EST_MAX_PEM_SIZE);
  const auto ask = [&] {
    return wvds_est_ca_certificates(session.get(), reinterpret_cast<char*>(pem.data()), pem.size_out(), pem.room());
  };
  const wvds_status status = waiting_out(ask);
  if (status == WVDS_CERTIFICATE_NOT_FOUND)
    return failed("there are no CA certificates yet; \"wvds est status\" says why");
  TOOL_TRY(check_est(status, "the CA certificates"));
  return write_output(options.output, pem.view());
}

Outcome<> run_certificate(const Tool& tool, const PemOptions& options) {
  TOOL_TRY(check_output(options.output));
  TOOL_ASSIGN(session, connect_est(tool));
  Buffer pem(WVDS_EST_MAX_PEM_SIZE);
  uint32_t key = 0;
  const uint32_t which = options.is_previous ? WVDS_EST_PREVIOUS : WVDS_EST_CURRENT;
  const auto ask = [&] {
    return wvds_est_certificate(session.get(), reinterpret_cast<char*>(pem.data()), pem.size_out(), pem.room(), &key,
                                options.name.c_str(), which);
  };
  const wvds_status status = waiting_out(ask);
  if (status == WVDS_CERTIFICATE_NOT_FOUND || status == WVDS_INVALID_ARGUMENT) {
    return failed("there is no " + std::string(options.is_previous ? "previous " : "") + "certificate \"" +
                  options.name + "\" (yet); \"wvds est status\" says which there are");
  }
  TOOL_TRY(check_est(status, "certificate " + options.name));
  return write_output(options.output, pem.view());
}

}  // namespace

void add_pem_commands(CLI::App& est, Tool& tool) {
  auto* cacerts = est.add_subcommand("cacerts", "Write the CA's certificates (PEM)");
  auto options = std::make_shared<PemOptions>();
  cacerts->add_flag("--refresh", options->refresh, "Let est_service fetch them from the server before");
  cacerts->add_option("--wait", options->wait_seconds, "Wait at most this many seconds for that")
      ->check(CLI::Range(1u, 86400u))
      ->capture_default_str();
  add_output(cacerts, options->output, false, "it");
  when_chosen(cacerts, tool, options, run_cacerts);

  auto* certificate = est.add_subcommand("certificate", "Write a certificate with its chain (PEM)");
  auto wanted = std::make_shared<PemOptions>();
  certificate->add_option("NAME", wanted->name, "Of this name in the configuration")->required();
  certificate->add_flag("--previous", wanted->is_previous, "The one before, while it may still be in use");
  add_output(certificate, wanted->output, false, "it");
  when_chosen(certificate, tool, wanted, run_certificate);
}

}  // namespace wvds::tool
