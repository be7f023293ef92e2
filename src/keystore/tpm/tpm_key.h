#pragma once

#include "crypto/locked_secret.h"
#include "keystore/tpm/tpm_header.h"
#include "keystore/tpm/tpm_session.h"

// The two objects of the protector inside a TPM: the storage key, and the secret that is sealed under it.
namespace wvds::keystore {

using TpmName = std::array<std::byte, TpmHeader::kNameSize>;

// StorageKey is the primary key of the storage hierarchy, by the template that the TCG's provisioning guidance gives
// for its storage root key. The TPM makes the same one each time until it is cleared.
struct StorageKey {
  PrimaryKind kind = PrimaryKind::kEccP256;
  TpmHandle handle;
  TpmName name{};
};

// make_storage_key makes the key of `kind`. kUnsupported when the TPM does not know such keys.
Result<StorageKey> make_storage_key(const TpmConnection& tpm, PrimaryKind kind);

// same_storage_key makes the key again and compares its name: kStorageError when it is another, as in another TPM, in
// one that was cleared, or where somebody between program and TPM answers with a key of his own.
Result<StorageKey> same_storage_key(const TpmConnection& tpm, PrimaryKind kind, const TpmName& name);

// SealedObject is what the header keeps of the sealed secret; only the TPM that made it can read it.
struct SealedObject {
  std::vector<std::byte> public_part;
  std::vector<std::byte> private_part;
};

// SealedRules says who may unseal.
struct SealedRules {
  std::vector<std::byte> policy = {};  // digest; empty: the authorisation value alone
  bool limits_guesses = false;         // wrong authorisation values count towards the TPM's dictionary-attack lockout
};

// seal makes the object. Neither `secret` nor `auth` can be read on the way to the TPM.
Result<SealedObject> seal(const TpmConnection& tpm, const StorageKey& parent, Bytes secret, Bytes auth,
                          const SealedRules& rules);

// load brings the object back into the TPM. kStorageError when it is not of this TPM or was changed.
Result<TpmHandle> load_sealed(const TpmConnection& tpm, const StorageKey& parent, const SealedObject& object);

// policy_of is the policy digest of an object's public part; kStorageError where this is no sealed object of ours.
Result<std::vector<std::byte>> policy_of(const TssLibrary& tss, const SealedObject& object);

// unseal reads the secret; it comes from the TPM encrypted. `session` is one of kind kPolicy that has met the object's
// policy, or of kind kHmac. The response code is returned as it is, for a caller that knows more about its cause.
struct Unsealed {
  TSS2_RC code = TSS2_RC_SUCCESS;
  crypto::LockedBytes secret;
};
Result<Unsealed> unseal(const TpmConnection& tpm, const TpmHandle& object, const TpmHandle& session, Bytes auth);

}  // namespace wvds::keystore
