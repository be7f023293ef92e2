// The FIPS module and the clock.
#include "crypto/library.h"
#include "platform/wall_clock.h"
#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/doctor/judge.h"
#include "tools/wvds/doctor/system.h"

namespace wvds::tool {
namespace {

crypto::LibraryConfig library_config(const config::FipsSettings& fips) {
  crypto::LibraryConfig out;
  out.fips = crypto::FipsMode::kPreferred;  // the answer is in fips_state(), also where it is required
  out.modules_dir = fips.modules_dir;
  out.fips_config = fips.config;
  return out;
}

// Where the configuration does not say, they are OpenSSL's own, which everybody can read.
bool is_for_others(const config::FipsSettings& fips) {
  const bool module = !fips.modules_dir.empty() && is_forbidden(fips.modules_dir + "/fips.so");
  return module || (!fips.config.empty() && is_forbidden(fips.config));
}

constexpr const char* kCure =
    "install OpenSSL's FIPS module and write its configuration on this machine with the command named above";

}  // namespace

// The doctor loads the module just as the service does: its own check of itself is the only one that counts.
void check_fips(Examination& exam) {
  if (!exam.config) return exam.findings.not_checked("fips module", "the configuration could not be read");
  const config::FipsSettings& fips = exam.config->fips;
  if (fips.mode == config::Fips::kOff) return exam.findings.ok("fips module", "is not asked for (fips.mode off)");
  if (is_for_others(fips))
    return exam.findings.not_checked("fips module", "its files are not for this user", run_as(exam));
  const auto library = crypto::Library::load(library_config(fips));
  if (!library) return exam.findings.problem("fips module", library.error().detail, kCure);
  if ((*library)->fips_state() == crypto::FipsState::kActive) {
    return exam.findings.ok("fips module", (*library)->provider() + ": its self-tests pass on this machine");
  }
  const std::string& detail = (*library)->fips_detail();
  if (fips.mode == config::Fips::kRequired) {
    return exam.findings.problem("fips module", detail + "; the service does not start in mode required", kCure);
  }
  exam.findings.warning("fips module", detail + "; in mode preferred the default provider serves", kCure);
}

void check_clock(Examination& exam) { exam.findings.add(judge_clock(platform::wall_clock_now())); }

}  // namespace wvds::tool
