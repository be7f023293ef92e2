#include "keystore/tpm/tpm_session.h"

#include "base/secret.h"
#include "keystore/tpm/tpm_device.h"
#include "keystore/tpm/tpm_error.h"

namespace wvds::keystore {
namespace {

constexpr TPMA_SESSION kHiding = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
constexpr TPMA_SESSION kAllUses = kHiding | TPMA_SESSION_AUDIT | TPMA_SESSION_CONTINUESESSION;

TPMT_SYM_DEF parameter_cipher() {
  TPMT_SYM_DEF cipher{};
  cipher.algorithm = TPM2_ALG_AES;
  cipher.keyBits.aes = 128;
  cipher.mode.aes = TPM2_ALG_CFB;
  return cipher;
}

TPMA_SESSION attributes_for(SessionUse use) {
  switch (use) {
    case SessionUse::kAuthorise: return TPMA_SESSION_CONTINUESESSION;
    case SessionUse::kHideCommand: return TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT;  // what the TPM does
    case SessionUse::kHideAnswer: return TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT;
    case SessionUse::kAudit: return TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_AUDIT;
  }
  return TPMA_SESSION_CONTINUESESSION;
}

}  // namespace

Result<TpmConnection> TpmConnection::open(const std::string& tcti) {
  WVDS_ASSIGN(tss, TssLibrary::load());
  WVDS_TRY(check_tpm_device(tcti));
  TpmConnection out;
  out.tss_ = tss;
  TSS2_TCTI_CONTEXT* way = nullptr;
  if (const TSS2_RC code = tss->Tss2_TctiLdr_Initialize(tcti.c_str(), &way); code != TSS2_RC_SUCCESS)
    return tpm_failed(*tss, code, "be reached at " + tcti);
  out.tcti_ = {way, CloseTcti{tss}};
  ESYS_CONTEXT* esys = nullptr;
  if (const TSS2_RC code = tss->Esys_Initialize(&esys, way, nullptr); code != TSS2_RC_SUCCESS)
    return tpm_failed(*tss, code, "be used at " + tcti);
  out.esys_ = {esys, CloseEsys{tss}};
  return out;
}

Result<> TpmConnection::check(TSS2_RC code, const char* action) const {
  if (code == TSS2_RC_SUCCESS) return {};
  return tpm_failed(*tss_, code, action);
}

Result<> TpmConnection::set_auth(ESYS_TR object, Bytes auth) const {
  TPM2B_AUTH value{};
  if (auth.size() > sizeof value.buffer) return fail(Status::kInternalError, "an authorisation value is too long");
  value.size = static_cast<UINT16>(auth.size());
  copy_bytes(auth, std::as_writable_bytes(std::span(value.buffer)));
  const TSS2_RC code = tss_->Esys_TR_SetAuth(esys_.get(), object, &value);
  secure_wipe(&value, sizeof value);
  return check(code, "take an authorisation value");
}

Result<TpmHandle> start_session(const TpmConnection& tpm, ESYS_TR storage_key, SessionKind kind) {
  const TPMT_SYM_DEF cipher = parameter_cipher();
  ESYS_TR session = ESYS_TR_NONE;
  const TSS2_RC code = tpm.tss().Esys_StartAuthSession(
      tpm.esys(), storage_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr,
      kind == SessionKind::kHmac ? TPM2_SE_HMAC : TPM2_SE_POLICY, &cipher, TPM2_ALG_SHA256, &session);
  WVDS_TRY(tpm.check(code, "start a session"));
  return TpmHandle(tpm, session);
}

Result<> use_session(const TpmConnection& tpm, const TpmHandle& session, SessionUse use) {
  return tpm.check(tpm.tss().Esys_TRSess_SetAttributes(tpm.esys(), session.get(), attributes_for(use), kAllUses),
                   "use a session");
}

}  // namespace wvds::keystore
