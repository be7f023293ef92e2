#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tools/wvds/commands.h"

// What the est commands share: they ask est_service, not crypto_service.
namespace wvds::tool {

// connect_est opens a session with est_service: at --socket, or at its usual place.
Outcome<Session> connect_est(const Tool& tool);
ServiceOptions est_options(const Tool& tool);

using EstState = std::unique_ptr<wvds_est_state>;  // it is large
using EstCertificate = wvds_est_certificate_state;

// ask_est asks for the state. An est_service that has just started knows it after its first round: that is waited for.
Outcome<EstState> ask_est(const Session& session, uint32_t timeout_ms);

// check_est is check() with a sentence for a session with another service.
Outcome<> check_est(wvds_status status, const std::string& what);

std::span<const EstCertificate> certificates_of(const wvds_est_state& state);

// named_certificate fails for an unknown name, and says which there are.
Outcome<const EstCertificate*> named_certificate(const wvds_est_state& state, const std::string& name);

bool is_good(const EstCertificate& certificate);  // valid or due

// until_true asks for the state after each change, for at most `seconds`, and gives the first one of which `done` says
// so. On a terminal standard error shows that it waits. The failure after the time begins with `what`.
Outcome<EstState> until_true(const Session& session, uint32_t seconds, const std::string& what,
                             const std::function<bool(const wvds_est_state&)>& done);

void add_est_status_command(CLI::App& est, Tool& tool);
void add_enrolment_commands(CLI::App& est, Tool& tool);
void add_pem_commands(CLI::App& est, Tool& tool);
void add_est_doctor_command(CLI::App& est, Tool& tool);

}  // namespace wvds::tool
