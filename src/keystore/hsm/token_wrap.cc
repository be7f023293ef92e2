#include "base/algorithm.h"
#include "keystore/hsm/token.h"

// The store's wrapping key.
namespace wvds::keystore::hsm {
namespace {

constexpr size_t kMaxWrapped = 128;
constexpr CK_MECHANISM_TYPE kWrapMechanisms[] = {kMechanismAesKeyWrapKwp, kMechanismAesKeyWrapPad};  // best first

Attributes aes_key() {
  Attributes out;
  out.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES).flag(CKA_TOKEN, true);
  return out;
}

}  // namespace

// The key gets only what the mechanisms need: a key that also decrypts would let its user unwrap piece by piece.
Result<> Token::make_key(const std::string& label, Bytes id) {
  bool wraps = false, encrypts = false;
  for (const CK_MECHANISM_TYPE mechanism : kWrapMechanisms) {
    wraps = wraps || can(mechanism, CKF_WRAP | CKF_UNWRAP);
    encrypts = encrypts || can(mechanism, CKF_ENCRYPT | CKF_DECRYPT);
  }
  Attributes wanted = aes_key();
  wanted.number(CKA_VALUE_LEN, kAesKeySize).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  wanted.flag(CKA_EXTRACTABLE, false).text(CKA_LABEL, label).bytes(CKA_ID, id);
  wanted.flag(CKA_WRAP, wraps).flag(CKA_UNWRAP, wraps);
  wanted.flag(CKA_ENCRYPT, !wraps && encrypts).flag(CKA_DECRYPT, !wraps && encrypts);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  return check(p11_.C_GenerateKey(session_, &mechanism, wanted.data(), wanted.size(), &key), "C_GenerateKey");
}

// What the token says of the key, and what it does when it is asked for the value all the same.
Result<> Token::check_protected(CK_OBJECT_HANDLE key, const std::string& label) {
  const std::string name = "the key \"" + label + "\" of the token";
  if (!is(key, CKA_SENSITIVE, true) || !is(key, CKA_EXTRACTABLE, false) || !is(key, CKA_NEVER_EXTRACTABLE, true)) {
    return refuse(Fault::kKeyUnprotected,
                  name +
                      " is not sensitive and never extractable: it may be known outside the token. Choose another "
                      "key_label, so that a new key is made");
  }
  WipedBytes value(kAesKeySize);
  CK_ATTRIBUTE wanted{CKA_VALUE, value.expose_for_writing().data(), value.size()};
  const bool is_answered = p11_.C_GetAttributeValue(session_, key, &wanted, 1) == CKR_OK;
  if (is_answered && wanted.ulValueLen != 0 && wanted.ulValueLen != CK_UNAVAILABLE_INFORMATION)
    return refuse(Fault::kKeyUnprotected, name + " can be read out: the token does not protect it");
  return {};
}

bool Token::wraps_unextractable(CK_OBJECT_HANDLE key) {
  const auto mechanism = usable_mechanism(0);
  if (!mechanism || !can(*mechanism, CKF_WRAP)) return false;
  CK_MECHANISM how{*mechanism, nullptr, 0};
  WipedBytes out(kMaxWrapped);
  CK_ULONG size = out.size();
  return p11_.C_WrapKey(session_, &how, key, key, data_of(out.expose_for_writing()), &size) == CKR_OK;
}

Result<Token::UsedKey> Token::use_key(const std::string& label, Bytes new_id) {
  WVDS_TRY(usable_mechanism(0));
  Attributes wanted = aes_key();
  wanted.text(CKA_LABEL, label);
  WVDS_ASSIGN(found, find(wanted));
  if (found.empty()) WVDS_TRY(make_key(label, new_id));
  const bool made = found.empty();
  WVDS_ASSIGN(key, find_one(wanted, "a key with the label \"" + label + "\""));
  WVDS_TRY(check_protected(key, label));
  UsedKey out;
  WVDS_ASSIGN(id, attribute(key, CKA_ID, kMaxTokenKeyId));
  if (id.empty()) return refuse(Fault::kFailed, "the key \"" + label + "\" of the token has no CKA_ID: give it one");
  out.id = std::move(id);
  WVDS_TRY(wrapping_key(out.id));  // two keys of one id would be found only when the store is to be opened again
  if (made) out.finding |= kMadeNow;
  if (wraps_unextractable(key)) out.finding |= kWrapsUnextractable;
  return out;
}

Result<CK_OBJECT_HANDLE> Token::wrapping_key(Bytes id) {
  Attributes wanted = aes_key();
  wanted.bytes(CKA_ID, id);
  return find_one(wanted, "the key that the store was made with");
}

// usable_mechanism is `wanted` where the token has it, and for 0 the best that it has.
Result<CK_MECHANISM_TYPE> Token::usable_mechanism(CK_MECHANISM_TYPE wanted) {
  for (const CK_MECHANISM_TYPE mechanism : kWrapMechanisms) {
    if (wanted != 0 && wanted != mechanism) continue;
    if (can(mechanism, CKF_WRAP | CKF_UNWRAP) || can(mechanism, CKF_ENCRYPT | CKF_DECRYPT)) return mechanism;
  }
  return refuse(
      Fault::kNoMechanism,
      "the token \"" + facts_.label + "\" does not offer the AES key wrapping that is needed, " +
          (wanted != 0 ? answer_text(wanted) : "CKM_AES_KEY_WRAP_KWP (0x210b) or CKM_AES_KEY_WRAP_PAD (0x210a)"));
}

Result<Token::Wrapped> Token::wrap(Bytes key_id, CK_MECHANISM_TYPE mechanism, Bytes secret) {
  WVDS_ASSIGN(usable, usable_mechanism(mechanism));
  WVDS_ASSIGN(key, wrapping_key(key_id));
  auto wrapped = can(usable, CKF_WRAP) ? wrap_object(usable, key, secret) : encrypt(usable, key, secret);
  if (!wrapped) return forward_error(wrapped);
  return Wrapped{usable, std::move(*wrapped)};
}

// The secret goes into the token's memory as an object of this session, for what is wrapped must be an object.
Result<std::vector<std::byte>> Token::wrap_object(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes secret) {
  Attributes wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET).flag(CKA_TOKEN, false);
  wanted.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true).bytes(CKA_VALUE, secret);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  WVDS_TRY(check(p11_.C_CreateObject(session_, wanted.data(), wanted.size(), &object), "C_CreateObject"));
  CK_MECHANISM how{mechanism, nullptr, 0};
  std::vector<std::byte> out(kMaxWrapped);
  CK_ULONG size = out.size();
  const CK_RV answer = p11_.C_WrapKey(session_, &how, key, object, data_of(MutableBytes(out)), &size);
  const CK_RV destroyed = p11_.C_DestroyObject(session_, object);
  WVDS_TRY(check(answer, "C_WrapKey"));
  WVDS_TRY(check(destroyed, "C_DestroyObject"));
  if (size > out.size()) return refuse(Fault::kFailed, "C_WrapKey answered no proper length");
  out.resize(size);
  return out;
}

Result<std::vector<std::byte>> Token::encrypt(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes secret) {
  CK_MECHANISM how{mechanism, nullptr, 0};
  std::vector<std::byte> out(kMaxWrapped);
  CK_ULONG size = out.size();
  WVDS_TRY(check(p11_.C_EncryptInit(session_, &how, key), "C_EncryptInit"));
  WVDS_TRY(
      check(p11_.C_Encrypt(session_, data_of(secret), secret.size(), data_of(MutableBytes(out)), &size), "C_Encrypt"));
  if (size > out.size()) return refuse(Fault::kFailed, "C_Encrypt answered no proper length");
  out.resize(size);
  return out;
}

Result<WipedBytes> Token::unwrap(Bytes key_id, CK_MECHANISM_TYPE mechanism, Bytes wrapped) {
  WVDS_ASSIGN(usable, usable_mechanism(mechanism));
  WVDS_ASSIGN(key, wrapping_key(key_id));
  return can(usable, CKF_UNWRAP) ? unwrap_object(usable, key, wrapped) : decrypt(usable, key, wrapped);
}

// RFC 5649 finds a changed wrap; tokens have many words for that.
std::unexpected<Error> Token::not_unwrapped(CK_RV answer, const char* function) {
  const bool is_wrong = answer == CKR_WRAPPED_KEY_INVALID || answer == CKR_WRAPPED_KEY_LEN_RANGE ||
                        answer == CKR_ENCRYPTED_DATA_INVALID || answer == CKR_ENCRYPTED_DATA_LEN_RANGE ||
                        answer == CKR_GENERAL_ERROR || answer == CKR_FUNCTION_FAILED;
  const auto failed = check(answer, function);
  return refuse(is_wrong ? Fault::kWrongWrap : fault_, failed.error().detail);
}

Result<WipedBytes> Token::unwrap_object(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes wrapped) {
  Attributes wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET).flag(CKA_TOKEN, false);
  wanted.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true);
  CK_MECHANISM how{mechanism, nullptr, 0};
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV answer =
      p11_.C_UnwrapKey(session_, &how, key, data_of(wrapped), wrapped.size(), wanted.data(), wanted.size(), &object);
  if (answer != CKR_OK) return not_unwrapped(answer, "C_UnwrapKey");
  return take_secret(object, kMaxWrapped);
}

Result<WipedBytes> Token::decrypt(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes wrapped) {
  CK_MECHANISM how{mechanism, nullptr, 0};
  WipedBytes out(kMaxWrapped);
  CK_ULONG size = out.size();
  WVDS_TRY(check(p11_.C_DecryptInit(session_, &how, key), "C_DecryptInit"));
  const CK_RV answer =
      p11_.C_Decrypt(session_, data_of(wrapped), wrapped.size(), data_of(out.expose_for_writing()), &size);
  if (answer != CKR_OK) return not_unwrapped(answer, "C_Decrypt");
  if (size > out.size()) return refuse(Fault::kFailed, "C_Decrypt answered no proper length");
  out.shrink(size);
  return out;
}

}  // namespace wvds::keystore::hsm
