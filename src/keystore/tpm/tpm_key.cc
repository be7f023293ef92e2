#include "keystore/tpm/tpm_key.h"

#include <cstring>
#include <span>

#include "base/secret.h"
#include "keystore/tpm/tpm_error.h"

namespace wvds::keystore {
namespace {

constexpr TPMA_OBJECT kStorageKeyAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                              TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                              TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
constexpr UINT16 kEccCoordinate = 32;
constexpr UINT16 kRsaModulus = 256;

void set_aes(TPMT_SYM_DEF_OBJECT& cipher) {
  cipher.algorithm = TPM2_ALG_AES;
  cipher.keyBits.aes = 128;
  cipher.mode.aes = TPM2_ALG_CFB;
}

// TCG TPM v2.0 Provisioning Guidance 1.0, 7.5.1: as the endorsement key's template, but for attributes and policy; the
// unique field is all zeros.
TPM2B_PUBLIC storage_key_template(PrimaryKind kind) {
  TPM2B_PUBLIC out{};
  TPMT_PUBLIC& area = out.publicArea;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = kStorageKeyAttributes;
  if (kind == PrimaryKind::kEccP256) {
    area.type = TPM2_ALG_ECC;
    set_aes(area.parameters.eccDetail.symmetric);
    area.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    area.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    area.unique.ecc.x.size = area.unique.ecc.y.size = kEccCoordinate;
  } else {
    area.type = TPM2_ALG_RSA;
    set_aes(area.parameters.rsaDetail.symmetric);
    area.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
    area.parameters.rsaDetail.keyBits = kRsaModulus * 8;
    area.unique.rsa.size = kRsaModulus;
  }
  return out;
}

// is_unknown_kind: the TPM refuses the template, not the asker.
bool is_unknown_kind(TSS2_RC code) {
  switch (tpm_code(code)) {
    case TPM2_RC_ASYMMETRIC:
    case TPM2_RC_CURVE:
    case TPM2_RC_KEY_SIZE:
    case TPM2_RC_SYMMETRIC:
    case TPM2_RC_TYPE:
    case TPM2_RC_VALUE: return true;
    default: return false;
  }
}

Result<TpmName> name_of(const TpmConnection& tpm, ESYS_TR object) {
  TPM2B_NAME* raw = nullptr;
  WVDS_TRY(tpm.check(tpm.tss().Esys_TR_GetName(tpm.esys(), object, &raw), "name its storage key"));
  const auto name = tpm.tss().own(raw);
  TpmName out{};
  if (name->size != out.size()) return fail(Status::kStorageError, "the TPM named its storage key in an unknown way");
  copy_bytes(std::as_bytes(std::span(name->name, name->size)), out);
  return out;
}

TPM2B_PUBLIC sealed_template(const SealedRules& rules) {
  TPM2B_PUBLIC out{};
  TPMT_PUBLIC& area = out.publicArea;
  area.type = TPM2_ALG_KEYEDHASH;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;
  if (!rules.limits_guesses) area.objectAttributes |= TPMA_OBJECT_NODA;
  if (rules.policy.empty()) area.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
  area.authPolicy.size = static_cast<UINT16>(rules.policy.size());
  copy_bytes(rules.policy, std::as_writable_bytes(std::span(area.authPolicy.buffer)));
  area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return out;
}

// Sensitive is the command parameter with the secrets, wiped at its end. (The software stack makes a copy while it
// builds the command, and encrypts that in place.)
struct Sensitive {
  Sensitive(Bytes secret, Bytes auth) {
    TPMS_SENSITIVE_CREATE& content = value.sensitive;
    content.userAuth.size = static_cast<UINT16>(auth.size());
    copy_bytes(auth, std::as_writable_bytes(std::span(content.userAuth.buffer)));
    content.data.size = static_cast<UINT16>(secret.size());
    copy_bytes(secret, std::as_writable_bytes(std::span(content.data.buffer)));
  }
  Sensitive(const Sensitive&) = delete;
  Sensitive& operator=(const Sensitive&) = delete;
  ~Sensitive() { secure_wipe(&value, sizeof value); }

  TPM2B_SENSITIVE_CREATE value{};
};

template <class Part>
using Marshal = TSS2_RC (*)(const Part*, uint8_t*, size_t, size_t*);
template <class Part>
using Unmarshal = TSS2_RC (*)(const uint8_t*, size_t, size_t*, Part*);

template <class Part>
Result<std::vector<std::byte>> marshalled(const TpmConnection& tpm, Marshal<Part> marshal, const Part& part) {
  std::vector<std::byte> out(sizeof part);
  size_t size = 0;
  WVDS_TRY(tpm.check(marshal(&part, reinterpret_cast<uint8_t*>(out.data()), out.size(), &size), "give an object back"));
  out.resize(size);
  return out;
}

template <class Part>
Result<Part> unmarshalled(Unmarshal<Part> unmarshal, Bytes bytes) {
  Part part{};
  size_t size = 0;
  const TSS2_RC code = unmarshal(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &size, &part);
  if (code == TSS2_RC_SUCCESS && size == bytes.size()) return part;
  return fail(Status::kStorageError, "the store's header is not one of protector tpm: its object is malformed");
}

}  // namespace

Result<StorageKey> make_storage_key(const TpmConnection& tpm, PrimaryKind kind) {
  const TPM2B_PUBLIC wanted = storage_key_template(kind);
  const TPM2B_SENSITIVE_CREATE no_secret{};
  const TPM2B_DATA no_data{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR key = ESYS_TR_NONE;
  const TSS2_RC code =
      tpm.tss().Esys_CreatePrimary(tpm.esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &no_secret, &wanted, &no_data, &no_pcrs, &key, nullptr, nullptr, nullptr, nullptr);
  if (is_unknown_kind(code)) return fail(Status::kUnsupported, "the TPM knows no such storage key");
  if (tpm_code(code) == TPM2_RC_BAD_AUTH || tpm_code(code) == TPM2_RC_AUTH_FAIL) {
    return fail(Status::kStorageError,
                "the TPM's storage hierarchy has an authorisation value of its own, which must be empty "
                "(tpm2_changeauth -c owner -p OLD)");
  }
  WVDS_TRY(tpm.check(code, "make its storage key"));
  TpmHandle handle(tpm, key);
  WVDS_ASSIGN(name, name_of(tpm, key));
  return StorageKey{kind, std::move(handle), name};
}

Result<StorageKey> same_storage_key(const TpmConnection& tpm, PrimaryKind kind, const TpmName& name) {
  WVDS_ASSIGN(key, make_storage_key(tpm, kind));
  if (key.name == name) return key;
  return fail(Status::kStorageError,
              "this is not the TPM that the store was made with, or it was cleared since, or somebody answers in its "
              "place: its storage key is another; use the device that the store belongs to, or restore a backup");
}

Result<SealedObject> seal(const TpmConnection& tpm, const StorageKey& parent, Bytes secret, Bytes auth,
                          const SealedRules& rules) {
  WVDS_ASSIGN(session, start_session(tpm, parent.handle.get(), SessionKind::kHmac));
  WVDS_TRY(use_session(tpm, session, SessionUse::kHideCommand));
  const Sensitive sensitive(secret, auth);
  const TPM2B_PUBLIC wanted = sealed_template(rules);
  const TPM2B_DATA no_data{};
  const TPML_PCR_SELECTION no_pcrs{};
  TPM2B_PRIVATE* raw_private = nullptr;
  TPM2B_PUBLIC* raw_public = nullptr;
  const TSS2_RC code = tpm.tss().Esys_Create(tpm.esys(), parent.handle.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                             &sensitive.value, &wanted, &no_data, &no_pcrs, &raw_private, &raw_public,
                                             nullptr, nullptr, nullptr);
  WVDS_TRY(tpm.check(code, "seal a key"));
  const auto made_private = tpm.tss().own(raw_private);
  const auto made_public = tpm.tss().own(raw_public);
  WVDS_ASSIGN(private_part, marshalled(tpm, tpm.tss().Tss2_MU_TPM2B_PRIVATE_Marshal, *made_private));
  WVDS_ASSIGN(public_part, marshalled(tpm, tpm.tss().Tss2_MU_TPM2B_PUBLIC_Marshal, *made_public));
  return SealedObject{std::move(public_part), std::move(private_part)};
}

Result<TpmHandle> load_sealed(const TpmConnection& tpm, const StorageKey& parent, const SealedObject& object) {
  WVDS_ASSIGN(public_part, unmarshalled(tpm.tss().Tss2_MU_TPM2B_PUBLIC_Unmarshal, object.public_part));
  WVDS_ASSIGN(private_part, unmarshalled(tpm.tss().Tss2_MU_TPM2B_PRIVATE_Unmarshal, object.private_part));
  WVDS_ASSIGN(session, start_session(tpm, parent.handle.get(), SessionKind::kHmac));
  ESYS_TR loaded = ESYS_TR_NONE;
  const TSS2_RC code = tpm.tss().Esys_Load(tpm.esys(), parent.handle.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                           &private_part, &public_part, &loaded);
  WVDS_TRY(tpm.check(code, "load the sealed key"));
  return TpmHandle(tpm, loaded);
}

Result<std::vector<std::byte>> policy_of(const TssLibrary& tss, const SealedObject& object) {
  WVDS_ASSIGN(public_part, unmarshalled(tss.Tss2_MU_TPM2B_PUBLIC_Unmarshal, object.public_part));
  const TPMT_PUBLIC& area = public_part.publicArea;
  if (area.type != TPM2_ALG_KEYEDHASH || area.nameAlg != TPM2_ALG_SHA256)
    return fail(Status::kStorageError, "the store's header is not one of protector tpm: it holds another object");
  const Bytes policy = std::as_bytes(std::span(area.authPolicy.buffer, area.authPolicy.size));
  return std::vector<std::byte>(policy.begin(), policy.end());
}

Result<Unsealed> unseal(const TpmConnection& tpm, const TpmHandle& object, const TpmHandle& session, Bytes auth) {
  WVDS_TRY(tpm.set_auth(object.get(), auth));
  WVDS_TRY(use_session(tpm, session, SessionUse::kHideAnswer));
  TPM2B_SENSITIVE_DATA* raw = nullptr;
  Unsealed out;
  out.code = tpm.tss().Esys_Unseal(tpm.esys(), object.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &raw);
  if (out.code != TSS2_RC_SUCCESS) return out;
  const auto data = tpm.tss().own(raw);
  auto secret = crypto::LockedBytes::copy_of(std::as_bytes(std::span(data->buffer, data->size)));
  secure_wipe(data.get(), sizeof *data);
  if (!secret) return forward_error(secret);
  out.secret = std::move(*secret);
  return out;
}

}  // namespace wvds::keystore
