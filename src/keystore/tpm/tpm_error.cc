#include "keystore/tpm/tpm_error.h"

namespace wvds::keystore {
namespace {

std::string hex_of(TSS2_RC code) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string digits;
  for (TSS2_RC rest = code; rest != 0; rest >>= 4) digits.insert(digits.begin(), kHex[rest & 15]);
  return "0x" + digits;
}

struct Advice {
  TPM2_RC code;
  const char* text;
};
constexpr Advice kAdvice[] = {
    {TPM2_RC_LOCKOUT,
     "it is in dictionary-attack lockout after wrong authorisation values or power cuts: wait until the lockout ends "
     "by "
     "itself, or end it with tpm2_dictionarylockout --clear-lockout"},
    {TPM2_RC_AUTH_FAIL, "the authorisation value is wrong: put the right one back"},
    {TPM2_RC_BAD_AUTH, "the authorisation value is wrong: put the right one back"},
    {TPM2_RC_INTEGRITY,
     "the store was not made with this TPM, or the TPM was cleared, or the header was changed: put the store back that "
     "belongs to this TPM, or restore a backup"},
    {TPM2_RC_POLICY_FAIL, "the PCRs are not those that the store was made with"},
    {TPM2_RC_PCR_CHANGED, "the PCRs changed meanwhile: try again"},
    {TPM2_RC_SESSION_MEMORY,
     "it has no room for another session: use /dev/tpmrm0, whose sessions end with their program, or tpm2_flushcontext "
     "--loaded-session"},
    {TPM2_RC_SESSION_HANDLES,
     "it has no room for another session: use /dev/tpmrm0, whose sessions end with their program, or tpm2_flushcontext "
     "--saved-session"},
    {TPM2_RC_OBJECT_MEMORY,
     "it has no room for another object: use /dev/tpmrm0, whose objects end with their program, or tpm2_flushcontext "
     "--transient-object"},
    {TPM2_RC_HIERARCHY, "its storage hierarchy is switched off: switch it on in the firmware"},
    {TPM2_RC_INITIALIZE, "it was not started: the firmware or tpm2_startup --clear does that"},
    {TPM2_RC_FAILURE, "it is in failure mode: switch the device off and on"},
    {TPM2_RC_NV_SPACE, "it has no room for the counter: remove an NV index that nobody needs (tpm2_nvundefine)"},
    {TPM2_RC_NV_RATE, "it limits how often its memory is written: try again later"},
    {TPM2_RC_NV_UNAVAILABLE, "its memory can't be written at the moment: try again later"},
};

const char* advice_for(TSS2_RC code) {
  if (is_tpm_gone(code))
    return "it does not answer: plug it in, start it, or correct store.tpm.tcti; the store is unchanged";
  if (code == TSS2_ESYS_RC_RSP_AUTH_FAILED)
    return "its answer is not authentic: somebody between program and TPM changes it, or it is another TPM";
  const TPM2_RC plain = tpm_code(code);
  for (const Advice& advice : kAdvice) {
    if (advice.code == plain) return advice.text;
  }
  return "unexpected answer";
}

}  // namespace

TPM2_RC tpm_code(TSS2_RC code) {
  const TSS2_RC layer = code & TSS2_RC_LAYER_MASK;
  if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER) return 0;
  constexpr TPM2_RC kFormatOneMask = 0x0bf;
  constexpr TPM2_RC kFormatZeroMask = 0xfff;
  return code & ((code & TPM2_RC_FMT1) != 0 ? kFormatOneMask : kFormatZeroMask);
}

bool is_tpm_gone(TSS2_RC code) { return (code & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER; }

std::unexpected<Error> tpm_failed(const TssLibrary& tss, TSS2_RC code, const std::string& action) {
  std::string text = "the TPM could not " + action + ": " + advice_for(code) + " (" + hex_of(code);
  if (tss.Tss2_RC_Decode != nullptr) text += std::string(", ") + tss.Tss2_RC_Decode(code);
  return fail(Status::kStorageError, text + ")");
}

}  // namespace wvds::keystore
