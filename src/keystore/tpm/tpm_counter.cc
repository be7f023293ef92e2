#include "keystore/tpm/tpm_counter.h"

#include <optional>
#include <span>

#include "base/secret.h"
#include "keystore/tpm/tpm_error.h"

namespace wvds::keystore {
namespace {

constexpr TPMA_NV kAttributes =
    TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA | TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT;
constexpr UINT16 kValueSize = 8;

std::string index_text(uint32_t nv_index) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += kHex[nv_index >> shift & 15];
  return text;
}

std::unexpected<Error> refuse(uint32_t nv_index, const std::string& why) {
  return fail(Status::kStorageError, "the TPM's NV index " + index_text(nv_index) + " " + why);
}

TPM2B_NV_PUBLIC counter_template(uint32_t nv_index) {
  TPM2B_NV_PUBLIC out{};
  out.nvPublic.nvIndex = nv_index;
  out.nvPublic.nameAlg = TPM2_ALG_SHA256;
  out.nvPublic.attributes = kAttributes;
  out.nvPublic.dataSize = kValueSize;
  return out;
}

bool is_counter(const TPMS_NV_PUBLIC& area) {
  return (area.attributes & ~TPMA_NV_WRITTEN) == kAttributes && area.nameAlg == TPM2_ALG_SHA256 &&
         area.dataSize == kValueSize && area.authPolicy.size == 0;
}

// Counter is the NV index while a connection is open.
class Counter {
 public:
  // find returns nothing where there is no such index.
  static Result<std::optional<Counter>> find(const TpmConnection& tpm, const TpmHandle& session, uint32_t nv_index) {
    Counter out(tpm, session, nv_index);
    const TSS2_RC code =
        tpm.tss().Esys_TR_FromTPMPublic(tpm.esys(), nv_index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &out.handle_);
    if (tpm_code(code) == TPM2_RC_HANDLE) return std::optional<Counter>();
    WVDS_TRY(tpm.check(code, "find its counter"));
    WVDS_TRY(out.check_kind());
    return std::optional<Counter>(out);
  }

  static Result<Counter> define(const TpmConnection& tpm, const TpmHandle& session, uint32_t nv_index, Bytes auth) {
    Counter out(tpm, session, nv_index);
    TPM2B_AUTH value{};
    value.size = static_cast<UINT16>(auth.size());
    copy_bytes(auth, std::as_writable_bytes(std::span(value.buffer)));
    const TPM2B_NV_PUBLIC wanted = counter_template(nv_index);
    WVDS_TRY(use_session(tpm, session, SessionUse::kHideCommand));
    const TSS2_RC code = tpm.tss().Esys_NV_DefineSpace(tpm.esys(), ESYS_TR_RH_OWNER, session.get(), ESYS_TR_NONE,
                                                       ESYS_TR_NONE, &value, &wanted, &out.handle_);
    secure_wipe(&value, sizeof value);
    WVDS_TRY(tpm.check(code, "make a counter"));
    return out;
  }

  Result<> set_auth(Bytes auth) const { return tpm_->set_auth(handle_, auth); }

  // read returns nothing where the counter was never advanced.
  Result<std::optional<uint64_t>> read() const {
    WVDS_TRY(use_session(*tpm_, *session_, SessionUse::kAuthorise));
    TPM2B_MAX_NV_BUFFER* raw = nullptr;
    const TSS2_RC code = tpm_->tss().Esys_NV_Read(tpm_->esys(), handle_, handle_, session_->get(), ESYS_TR_NONE,
                                                  ESYS_TR_NONE, kValueSize, 0, &raw);
    if (tpm_code(code) == TPM2_RC_NV_UNINITIALIZED) return std::optional<uint64_t>();
    WVDS_TRY(check_authorised(code, "read its counter"));
    const auto data = tpm_->tss().own(raw);
    if (data->size != kValueSize) return refuse(nv_index_, "has a value of a wrong size");
    uint64_t value = 0;
    for (const BYTE byte : std::span(data->buffer, kValueSize)) value = value << 8 | byte;
    return std::optional<uint64_t>(value);
  }

  Result<> increment() const {
    WVDS_TRY(use_session(*tpm_, *session_, SessionUse::kAuthorise));
    return check_authorised(
        tpm_->tss().Esys_NV_Increment(tpm_->esys(), handle_, handle_, session_->get(), ESYS_TR_NONE, ESYS_TR_NONE),
        "advance its counter");
  }

 private:
  Counter(const TpmConnection& tpm, const TpmHandle& session, uint32_t nv_index)
      : tpm_(&tpm), session_(&session), nv_index_(nv_index) {}

  Result<> check_kind() const {
    TPM2B_NV_PUBLIC* raw = nullptr;
    const TSS2_RC code =
        tpm_->tss().Esys_NV_ReadPublic(tpm_->esys(), handle_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr);
    WVDS_TRY(tpm_->check(code, "describe its counter"));
    const auto found = tpm_->tss().own(raw);
    if (is_counter(found->nvPublic)) return {};
    return refuse(nv_index_, "is in use for something else: name another one in store.tpm.rollback_nv_index");
  }

  Result<> check_authorised(TSS2_RC code, const char* action) const {
    if (tpm_code(code) != TPM2_RC_BAD_AUTH && tpm_code(code) != TPM2_RC_AUTH_FAIL) return tpm_->check(code, action);
    return refuse(nv_index_,
                  "was made with another authorisation value: put that one back, or name another NV index in "
                  "store.tpm.rollback_nv_index and run wvds store migrate --to tpm");
  }

  const TpmConnection* tpm_;
  const TpmHandle* session_;
  uint32_t nv_index_;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

Result<Counter> find_existing(const TpmConnection& tpm, const TpmHandle& session, uint32_t nv_index, Bytes auth) {
  WVDS_ASSIGN(counter, Counter::find(tpm, session, nv_index));
  if (!counter) {
    return refuse(nv_index,
                  "is gone: somebody removed the counter against old stores. If nobody else can have had this device, "
                  "run wvds store migrate --to tpm, which makes it anew; otherwise restore a backup");
  }
  WVDS_TRY(counter->set_auth(auth));
  return *counter;
}

Result<uint64_t> value_of(const Counter& counter) {
  WVDS_ASSIGN(value, counter.read());
  return value.value_or(0);
}

}  // namespace

Result<uint64_t> TpmCounter::prepare(const TpmConnection& tpm, const StorageKey& key, uint32_t nv_index, Bytes auth) {
  WVDS_ASSIGN(session, start_session(tpm, key.handle.get(), SessionKind::kHmac));
  WVDS_ASSIGN(found, Counter::find(tpm, session, nv_index));
  if (!found) {
    WVDS_ASSIGN(defined, Counter::define(tpm, session, nv_index, auth));
    found = defined;
  }
  WVDS_TRY(found->set_auth(auth));
  WVDS_ASSIGN(value, found->read());
  if (value) return *value;
  WVDS_TRY(found->increment());  // only then it has a value
  return value_of(*found);
}

Result<uint64_t> TpmCounter::read() {
  WVDS_ASSIGN(auth, auth_.read());
  WVDS_ASSIGN(tpm, TpmConnection::open(tcti_));
  WVDS_ASSIGN(key, same_storage_key(tpm, primary_, name_));
  WVDS_ASSIGN(session, start_session(tpm, key.handle.get(), SessionKind::kHmac));
  WVDS_ASSIGN(counter, find_existing(tpm, session, fields_.nv_index, auth.expose()));
  return value_of(counter);
}

Result<> TpmCounter::advance_to(uint64_t value) {
  WVDS_ASSIGN(auth, auth_.read());
  WVDS_ASSIGN(tpm, TpmConnection::open(tcti_));
  WVDS_ASSIGN(key, same_storage_key(tpm, primary_, name_));
  WVDS_ASSIGN(session, start_session(tpm, key.handle.get(), SessionKind::kHmac));
  WVDS_ASSIGN(counter, find_existing(tpm, session, fields_.nv_index, auth.expose()));
  WVDS_ASSIGN(before, value_of(counter));
  if (before == value) return {};
  if (before + 1 != value) {
    return refuse(fields_.nv_index, "shows " + std::to_string(before) + ", which can't be advanced to " +
                                        std::to_string(value) + ": another program uses this counter");
  }
  WVDS_TRY(counter.increment());
  WVDS_ASSIGN(after, value_of(counter));
  if (after == value) return {};
  return refuse(fields_.nv_index, "did not advance as a counter does");
}

}  // namespace wvds::keystore
