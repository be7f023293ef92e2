#pragma once

#include <p11-kit/pkcs11.h>

// PKCS#11 as p11-kit's header has it (2.40), and what of PKCS#11 3.2 it lacks. Section numbers are those of "PKCS #11
// Specification Version 3.2" (OASIS); the values are those of its pkcs11t.h.
namespace wvds::keystore::hsm {

// 6.13: AES key wrapping of SP 800-38F. KWP is RFC 5649; CKM_AES_KEY_WRAP_PAD is what tokens had before it, and with
// 32 bytes wrapped by SoftHSM and others the same.
inline constexpr CK_MECHANISM_TYPE kMechanismAesKeyWrapKwp = 0x210B;
inline constexpr CK_MECHANISM_TYPE kMechanismAesKeyWrapPad = 0x210A;

// 6.67: ML-DSA, 6.68: ML-KEM
inline constexpr CK_MECHANISM_TYPE kMechanismMlKemKeyPairGen = 0x0F;
inline constexpr CK_MECHANISM_TYPE kMechanismMlKem = 0x17;
inline constexpr CK_MECHANISM_TYPE kMechanismMlDsaKeyPairGen = 0x1C;
inline constexpr CK_MECHANISM_TYPE kMechanismMlDsa = 0x1D;
inline constexpr CK_KEY_TYPE kKeyTypeMlKem = 0x49;
inline constexpr CK_KEY_TYPE kKeyTypeMlDsa = 0x4A;
inline constexpr CK_ATTRIBUTE_TYPE kAttributeParameterSet = 0x61D;
inline constexpr CK_ATTRIBUTE_TYPE kAttributeEncapsulate = 0x633;
inline constexpr CK_ATTRIBUTE_TYPE kAttributeDecapsulate = 0x634;

// CKP_ML_DSA_44, _65, _87 and CKP_ML_KEM_512, _768, _1024
inline constexpr CK_ULONG kFirstParameterSet = 1;

// CK_HEDGE_TYPE
inline constexpr CK_ULONG kHedgePreferred = 0;
inline constexpr CK_ULONG kDeterministicRequired = 2;

// CK_SIGN_ADDITIONAL_CONTEXT
struct SignAdditionalContext {
  CK_ULONG hedge_variant = kHedgePreferred;
  CK_BYTE* context = nullptr;
  CK_ULONG context_size = 0;
};

// 5.18.9: C_DecapsulateKey
using DecapsulateKeyFunction = CK_RV (*)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE private_key,
                                         CK_ATTRIBUTE* wanted, CK_ULONG wanted_count, CK_BYTE* ciphertext,
                                         CK_ULONG ciphertext_size, CK_OBJECT_HANDLE* secret);

// Module is a loaded module's functions; `decapsulate` is null where it has none.
struct Module {
  CK_FUNCTION_LIST* functions = nullptr;
  DecapsulateKeyFunction decapsulate = nullptr;
};

}  // namespace wvds::keystore::hsm
