#pragma once

#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/est/est_service.h"

// The parts of `wvds est doctor`, in their order. Each adds what it finds, and what the later ones need.
namespace wvds::tool {

struct EstExamination {
  // asked for
  ServiceOptions service;  // est_service's
  bool is_socket_given = false;
  std::string user;  // name or number of est_service's user; empty: found out

  // found
  Examination crypto;              // crypto_service's part, and all findings
  std::optional<SocketPeer> peer;  // the user and group that est_service runs as
  std::optional<int64_t> now;      // Unix seconds; nothing where the clock was never set
  bool is_served = false;
  Session session;
  EstState state;

  Findings& findings() { return crypto.findings; }

  // est is the section of the configuration, null where it could not be read or is not there.
  const config::Est* est() const { return crypto.config && crypto.config->est ? &*crypto.config->est : nullptr; }
};

// The configuration.
void check_est_config(EstExamination& exam);

// est_service: whether it runs and answers, and what it says itself.
void check_est_socket(EstExamination& exam);
void check_est_session(EstExamination& exam);
void check_est_state(EstExamination& exam);

// find_est_user takes --user, the user of the running est_service, or the owner of its folder.
void find_est_user(EstExamination& exam);

// What est_service needs: crypto_service and its rights there, a clock, its folder and the files that are configured.
void check_est_crypto_service(EstExamination& exam);
void check_est_rights(EstExamination& exam);
void check_est_clock(EstExamination& exam);
void check_est_folder(EstExamination& exam);
void check_est_files(EstExamination& exam);

// est_user_text is the user that est_service runs as, or what stands for it.
std::string est_user_text(const EstExamination& exam);

}  // namespace wvds::tool
