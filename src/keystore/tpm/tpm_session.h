#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "keystore/tpm/tss_library.h"

namespace wvds::keystore {

struct CloseTcti {
  const TssLibrary* tss = nullptr;
  void operator()(TSS2_TCTI_CONTEXT* tcti) const { tss->Tss2_TctiLdr_Finalize(&tcti); }
};

struct CloseEsys {
  const TssLibrary* tss = nullptr;
  void operator()(ESYS_CONTEXT* esys) const { tss->finalize(esys); }
};

// TpmConnection is an open way to a TPM. One thread at a time; every call blocks as long as the TPM does.
class TpmConnection {
 public:
  // open reaches the TPM that `tcti` names, as TSS 2.0 writes it ("device:/dev/tpmrm0"). kUnsupported without the
  // software stack, kStorageError when there is no TPM.
  static Result<TpmConnection> open(const std::string& tcti);

  const TssLibrary& tss() const { return *tss_; }
  ESYS_CONTEXT* esys() const { return esys_.get(); }

  // check turns a response code into a Result; `action` completes "the TPM could not".
  Result<> check(TSS2_RC code, const char* action) const;

  // set_auth gives an object's authorisation value, which never leaves this program.
  Result<> set_auth(ESYS_TR object, Bytes auth) const;

 private:
  const TssLibrary* tss_ = nullptr;
  std::unique_ptr<TSS2_TCTI_CONTEXT, CloseTcti> tcti_;
  std::unique_ptr<ESYS_CONTEXT, CloseEsys> esys_;  // closed before the TCTI that it uses
};

// TpmHandle is a session or a transient object inside the TPM, which has room for three of each; it is flushed when
// this ends, however that comes.
class TpmHandle {
 public:
  TpmHandle(const TpmConnection& tpm, ESYS_TR handle) : tpm_(&tpm), handle_(handle) {}
  TpmHandle(TpmHandle&& other) noexcept : tpm_(other.tpm_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}
  TpmHandle& operator=(TpmHandle&&) = delete;
  ~TpmHandle() {
    if (handle_ != ESYS_TR_NONE) static_cast<void>(tpm_->tss().Esys_FlushContext(tpm_->esys(), handle_));
  }

  ESYS_TR get() const { return handle_; }

 private:
  const TpmConnection* tpm_;
  ESYS_TR handle_;
};

enum class SessionKind : uint8_t { kHmac, kPolicy };

// start_session starts a session whose key is salted with `storage_key`, so that only the TPM that holds this key can
// know it: commands and answers are authenticated by HMAC-SHA-256, and their first parameter is encrypted by
// AES-128-CFB where use_session asks for it.
Result<TpmHandle> start_session(const TpmConnection& tpm, ESYS_TR storage_key, SessionKind kind);

// SessionUse is what a session does for the next command besides authorising it.
enum class SessionUse : uint8_t {
  kAuthorise,
  kHideCommand,  // encrypts the command's first parameter
  kHideAnswer,   // encrypts the answer's first parameter
  kAudit,        // authenticates the answer of a command that needs no authorisation
};
Result<> use_session(const TpmConnection& tpm, const TpmHandle& session, SessionUse use);

}  // namespace wvds::keystore
