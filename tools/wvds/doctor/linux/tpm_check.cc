// The TPM that holds the store's key: software stack, device, permission, and whether it answers.
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "keystore/tpm/tpm_device.h"
#include "keystore/tpm/tpm_protector.h"
#include "keystore/tpm/tss_library.h"
#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/doctor/linux/user_access.h"

namespace wvds::tool {
namespace {

constexpr const char* kCheck = "TPM";
constexpr mode_t kReadAndWrite = 6;

std::string group_text(gid_t group) {
  const struct group* const known = ::getgrgid(group);
  return known == nullptr ? std::to_string(group) : known->gr_name;
}

// check_device says whether to go on.
bool check_device(Examination& exam, const std::string& device) {
  struct stat facts{};
  if (::stat(device.c_str(), &facts) != 0) {
    exam.findings.problem(kCheck, device + ": " + std::strerror(errno) + ": the service does not start",
                          "switch the TPM on in the firmware, or correct store.tpm.tcti in the configuration");
    return false;
  }
  if (exam.service_user && !may_access(*exam.service_user, facts, kReadAndWrite)) {
    exam.findings.problem(kCheck, device + " is not for the service's user",
                          "adduser USER " + group_text(facts.st_gid) + ", then restart the service");
    return false;
  }
  if (!may_access(::geteuid(), facts, kReadAndWrite)) {
    exam.findings.not_checked(kCheck, device + " is not for this user", run_as(exam));
    return false;
  }
  return true;
}

keystore::TpmSettings settings_of(const config::TpmProtector& tpm) {
  keystore::TpmSettings out{.tcti = tpm.tcti, .auth = {}};
  out.pcr_bank = keystore::tpm_hash_of(tpm.pcr_bank);
  out.pcrs = tpm.pcrs;
  return out;
}

}  // namespace

void check_tpm(Examination& exam) {
  if (!exam.config || exam.config->store.protector != config::ProtectorKind::kTpm) return;
  const config::TpmProtector& tpm = *exam.config->store.tpm;
  if (const auto loaded = keystore::TssLibrary::load(); !loaded) {
    return exam.findings.problem(kCheck, loaded.error().detail,
                                 "apt install libtss2-esys-3.0.2-0 libtss2-mu0 libtss2-rc0 libtss2-tctildr0 "
                                 "libtss2-tcti-device0 (names as in Debian 12)");
  }
  const auto device = keystore::tpm_device_of(tpm.tcti);
  if (device && !check_device(exam, *device)) return;
  if (const auto checked = keystore::check_tpm(settings_of(tpm)); !checked) {
    return exam.findings.problem(kCheck, checked.error().detail, "put that right; the store is not harmed by it");
  }
  exam.findings.ok(kCheck, "the one at " + tpm.tcti + " answers");
}

}  // namespace wvds::tool
