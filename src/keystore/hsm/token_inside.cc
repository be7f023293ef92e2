#include "keystore/hsm/token.h"

// Keys that are made and used in the token: PKCS#11 3.2, sections 6.67 and 6.68.
namespace wvds::keystore::hsm {
namespace {

CK_ULONG parameter_set(Algorithm algorithm) {  // CKP_ML_DSA_* and CKP_ML_KEM_* count like the product's values
  return kFirstParameterSet + (static_cast<uint8_t>(algorithm) & 0x0f);
}

CK_KEY_TYPE key_type(Algorithm algorithm) { return is_ml_dsa(algorithm) ? kKeyTypeMlDsa : kKeyTypeMlKem; }

Attributes public_template(Algorithm algorithm, Bytes id, const std::string& label) {
  Attributes out;
  out.number(CKA_CLASS, CKO_PUBLIC_KEY).number(CKA_KEY_TYPE, key_type(algorithm)).flag(CKA_TOKEN, true);
  out.number(kAttributeParameterSet, parameter_set(algorithm)).text(CKA_LABEL, label).bytes(CKA_ID, id);
  return std::move(out.flag(is_ml_dsa(algorithm) ? CKA_VERIFY : kAttributeEncapsulate, true));
}

Attributes private_template(Algorithm algorithm, Bytes id, const std::string& label) {
  Attributes out;
  out.number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, key_type(algorithm)).flag(CKA_TOKEN, true);
  out.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
  out.text(CKA_LABEL, label).bytes(CKA_ID, id);
  return std::move(out.flag(is_ml_dsa(algorithm) ? CKA_SIGN : kAttributeDecapsulate, true));
}

}  // namespace

Result<std::vector<std::byte>> Token::make_inside(Algorithm algorithm, Bytes id, const std::string& label) {
  const bool signs = is_ml_dsa(algorithm);
  if ((flags_ & (signs ? kOffersMlDsa : kOffersMlKem)) == 0)
    return refuse(Fault::kNoMechanism,
                  "the token \"" + facts_.label + "\" does not offer " + (signs ? "ML-DSA" : "ML-KEM"));
  Attributes public_wanted = public_template(algorithm, id, label);
  Attributes private_wanted = private_template(algorithm, id, label);
  CK_MECHANISM mechanism{signs ? kMechanismMlDsaKeyPairGen : kMechanismMlKemKeyPairGen, nullptr, 0};
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
  WVDS_TRY(check(p11_.C_GenerateKeyPair(session_, &mechanism, public_wanted.data(), public_wanted.size(),
                                        private_wanted.data(), private_wanted.size(), &public_key, &private_key),
                 "C_GenerateKeyPair"));
  const bool is_protected = is(private_key, CKA_SENSITIVE, true) && is(private_key, CKA_EXTRACTABLE, false);
  auto value = attribute(public_key, CKA_VALUE, kMaxPublicKeyAnswer);
  if (value && is_protected) return value;
  p11_.C_DestroyObject(session_, public_key);
  p11_.C_DestroyObject(session_, private_key);
  if (value) return refuse(Fault::kKeyUnprotected, "the token made a private key that can be read out");
  return value;
}

Result<CK_OBJECT_HANDLE> Token::private_key(Algorithm algorithm, Bytes id) {
  Attributes wanted;
  wanted.number(CKA_CLASS, CKO_PRIVATE_KEY).number(CKA_KEY_TYPE, key_type(algorithm)).bytes(CKA_ID, id);
  return find_one(wanted, "the private key");
}

Result<std::vector<std::byte>> Token::sign(Algorithm algorithm, Bytes id, bool deterministic, Bytes context,
                                           Bytes message) {
  WVDS_ASSIGN(key, private_key(algorithm, id));
  SignAdditionalContext options{deterministic ? kDeterministicRequired : kHedgePreferred, data_of(context),
                                context.size()};
  CK_MECHANISM mechanism{kMechanismMlDsa, &options, sizeof options};
  if (!deterministic && context.empty()) mechanism = {kMechanismMlDsa, nullptr, 0};  // what every token understands
  std::vector<std::byte> out(kMaxSignatureSize);
  CK_ULONG size = out.size();
  WVDS_TRY(check(p11_.C_SignInit(session_, &mechanism, key), "C_SignInit"));
  WVDS_TRY(check(p11_.C_Sign(session_, data_of(message), message.size(), reinterpret_cast<CK_BYTE*>(out.data()), &size),
                 "C_Sign"));
  if (size > out.size()) return refuse(Fault::kFailed, "C_Sign answered no proper length");
  out.resize(size);
  return out;
}

Result<WipedBytes> Token::decapsulate(Algorithm algorithm, Bytes id, Bytes ciphertext) {
  if (module_.decapsulate == nullptr) return refuse(Fault::kNoMechanism, "the module has no C_DecapsulateKey");
  WVDS_ASSIGN(key, private_key(algorithm, id));
  Attributes wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET).flag(CKA_TOKEN, false);
  wanted.flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true).number(CKA_VALUE_LEN, kSharedSecretSize);
  CK_MECHANISM mechanism{kMechanismMlKem, nullptr, 0};
  CK_OBJECT_HANDLE secret = CK_INVALID_HANDLE;
  WVDS_TRY(check(module_.decapsulate(session_, &mechanism, key, wanted.data(), wanted.size(), data_of(ciphertext),
                                     ciphertext.size(), &secret),
                 "C_DecapsulateKey"));
  return take_secret(secret, kSharedSecretSize);
}

// The private key first: what is left after a failure is then of no use to anybody.
Result<> Token::destroy(Bytes id) {
  for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    Attributes wanted;
    wanted.number(CKA_CLASS, kind).bytes(CKA_ID, id);
    WVDS_ASSIGN(found, find(wanted));
    for (const CK_OBJECT_HANDLE object : found)
      WVDS_TRY(check(p11_.C_DestroyObject(session_, object), "C_DestroyObject"));
  }
  return {};
}

}  // namespace wvds::keystore::hsm
