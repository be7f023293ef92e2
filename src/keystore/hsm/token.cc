#include "keystore/hsm/token.h"

#include <algorithm>
#include <array>
#include <cstdio>

// The session, and the pieces that everything else is made of. token_wrap.cc and token_inside.cc have the rest.
namespace wvds::keystore::hsm {
namespace {

constexpr size_t kMaxSlots = 256;
constexpr size_t kMaxFound = 16;

struct AnswerName {
  CK_RV answer;
  const char* name;
};
#define WVDS_ANSWER(name) {name, #name}
constexpr AnswerName kAnswers[] = {
    WVDS_ANSWER(CKR_HOST_MEMORY),
    WVDS_ANSWER(CKR_GENERAL_ERROR),
    WVDS_ANSWER(CKR_FUNCTION_FAILED),
    WVDS_ANSWER(CKR_ARGUMENTS_BAD),
    WVDS_ANSWER(CKR_ATTRIBUTE_READ_ONLY),
    WVDS_ANSWER(CKR_ATTRIBUTE_SENSITIVE),
    WVDS_ANSWER(CKR_ATTRIBUTE_TYPE_INVALID),
    WVDS_ANSWER(CKR_ATTRIBUTE_VALUE_INVALID),
    WVDS_ANSWER(CKR_DEVICE_ERROR),
    WVDS_ANSWER(CKR_DEVICE_MEMORY),
    WVDS_ANSWER(CKR_DEVICE_REMOVED),
    WVDS_ANSWER(CKR_ENCRYPTED_DATA_INVALID),
    WVDS_ANSWER(CKR_ENCRYPTED_DATA_LEN_RANGE),
    WVDS_ANSWER(CKR_FUNCTION_NOT_SUPPORTED),
    WVDS_ANSWER(CKR_KEY_HANDLE_INVALID),
    WVDS_ANSWER(CKR_KEY_FUNCTION_NOT_PERMITTED),
    WVDS_ANSWER(CKR_KEY_UNEXTRACTABLE),
    WVDS_ANSWER(CKR_MECHANISM_INVALID),
    WVDS_ANSWER(CKR_MECHANISM_PARAM_INVALID),
    WVDS_ANSWER(CKR_OBJECT_HANDLE_INVALID),
    WVDS_ANSWER(CKR_PIN_INCORRECT),
    WVDS_ANSWER(CKR_PIN_INVALID),
    WVDS_ANSWER(CKR_PIN_LEN_RANGE),
    WVDS_ANSWER(CKR_PIN_EXPIRED),
    WVDS_ANSWER(CKR_PIN_LOCKED),
    WVDS_ANSWER(CKR_PIN_TOO_WEAK),
    WVDS_ANSWER(CKR_SESSION_CLOSED),
    WVDS_ANSWER(CKR_SESSION_COUNT),
    WVDS_ANSWER(CKR_SESSION_HANDLE_INVALID),
    WVDS_ANSWER(CKR_SESSION_READ_ONLY),
    WVDS_ANSWER(CKR_TEMPLATE_INCOMPLETE),
    WVDS_ANSWER(CKR_TEMPLATE_INCONSISTENT),
    WVDS_ANSWER(CKR_TOKEN_NOT_PRESENT),
    WVDS_ANSWER(CKR_TOKEN_NOT_RECOGNIZED),
    WVDS_ANSWER(CKR_TOKEN_WRITE_PROTECTED),
    WVDS_ANSWER(CKR_USER_NOT_LOGGED_IN),
    WVDS_ANSWER(CKR_USER_PIN_NOT_INITIALIZED),
    WVDS_ANSWER(CKR_WRAPPED_KEY_INVALID),
    WVDS_ANSWER(CKR_WRAPPED_KEY_LEN_RANGE),
    WVDS_ANSWER(CKR_CRYPTOKI_NOT_INITIALIZED),
};
#undef WVDS_ANSWER

Fault fault_of(CK_RV answer) {
  switch (answer) {
    case CKR_PIN_INCORRECT: return Fault::kPinWrong;
    case CKR_PIN_LOCKED: return Fault::kPinLocked;
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_TOO_WEAK:
    case CKR_PIN_EXPIRED:
    case CKR_USER_PIN_NOT_INITIALIZED: return Fault::kPinRefused;
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_CRYPTOKI_NOT_INITIALIZED: return Fault::kSessionLost;
    case CKR_MECHANISM_INVALID: return Fault::kNoMechanism;
    default: return Fault::kFailed;
  }
}

// Texts of CK_TOKEN_INFO are padded with blanks; some modules pad with zeros.
template <size_t N>
std::string unpadded(const CK_UTF8CHAR (&text)[N]) {
  std::string out(reinterpret_cast<const char*>(text), N);
  out.erase(std::min(out.find('\0'), out.size()));
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

TokenFacts facts_of(const CK_TOKEN_INFO& info, CK_SLOT_ID slot) {
  return {.label = unpadded(info.label),
          .serial = unpadded(info.serialNumber),
          .manufacturer = unpadded(info.manufacturerID),
          .model = unpadded(info.model),
          .slot = slot};
}

std::string short_text(const TokenFacts& token) { return "\"" + token.label + "\" (serial " + token.serial + ")"; }

std::string listed(const std::vector<TokenFacts>& tokens) {
  std::string out;
  for (const TokenFacts& token : tokens) out += (out.empty() ? "" : ", ") + short_text(token);
  return out;
}

}  // namespace

std::string answer_text(CK_RV answer) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "0x%lx", static_cast<unsigned long>(answer));
  const auto* known = std::ranges::find(kAnswers, answer, &AnswerName::answer);
  if (known == std::end(kAnswers)) return number.data();
  return std::string(known->name) + " (" + number.data() + ")";
}

std::unexpected<Error> Token::refuse(Fault fault, std::string why) {
  fault_ = fault;
  return fail(Status::kStorageError, std::move(why));
}

Result<> Token::check(CK_RV answer, const char* function) {
  if (answer == CKR_OK) return {};
  return refuse(fault_of(answer), std::string(function) + " answered " + answer_text(answer));
}

bool Token::can(CK_MECHANISM_TYPE mechanism, CK_FLAGS what) const {
  CK_MECHANISM_INFO info{};
  return p11_.C_GetMechanismInfo(slot_, mechanism, &info) == CKR_OK && (info.flags & what) == what;
}

uint64_t Token::flags_of(const CK_TOKEN_INFO& info) const {
  uint64_t out = 0;
  if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0) out |= kPinCountLow;
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) out |= kPinFinalTry;
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) out |= TokenFlag::kPinLocked;
  if (can(kMechanismMlDsaKeyPairGen, CKF_GENERATE_KEY_PAIR) && can(kMechanismMlDsa, CKF_SIGN)) out |= kOffersMlDsa;
  if (can(kMechanismMlKemKeyPairGen, CKF_GENERATE_KEY_PAIR) && can(kMechanismMlKem, 0) &&
      module_.decapsulate != nullptr) {
    out |= kOffersMlKem;
  }
  return out;
}

Result<std::vector<CK_SLOT_ID>> Token::slots() {
  CK_ULONG count = 0;
  WVDS_TRY(check(p11_.C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList"));
  std::vector<CK_SLOT_ID> out(std::min<CK_ULONG>(count, kMaxSlots));
  count = out.size();
  if (out.empty()) return out;
  WVDS_TRY(check(p11_.C_GetSlotList(CK_TRUE, out.data(), &count), "C_GetSlotList"));
  out.resize(std::min<CK_ULONG>(count, out.size()));
  return out;
}

Result<> Token::choose_slot(const TokenSelector& wanted) {
  WVDS_ASSIGN(ids, slots());
  std::vector<TokenFacts> there, fitting;
  for (const CK_SLOT_ID slot : ids) {
    CK_TOKEN_INFO info{};
    if (p11_.C_GetTokenInfo(slot, &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    there.push_back(facts_of(info, slot));
    if (!wanted.matches(there.back())) continue;
    fitting.push_back(there.back());
    slot_ = slot;
    flags_ = flags_of(info);
  }
  if (fitting.empty()) {
    return refuse(Fault::kTokenAbsent,
                  "no token with " + wanted.text() + " is present: " +
                      (there.empty() ? "the module shows none at all; is it plugged in, and set up for this user?"
                                     : "the module shows " + listed(there)));
  }
  if (fitting.size() > 1) {
    return refuse(Fault::kTokenDoubled, "several tokens fit " + wanted.text() + ": " + listed(fitting) +
                                            "; name the serial number, as in pkcs11:serial=" + fitting[0].serial);
  }
  facts_ = fitting[0];
  return {};
}

// A token that is write-protected can still unlock a store.
Result<> Token::open_session() {
  CK_RV answer = p11_.C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_);
  if (answer == CKR_TOKEN_WRITE_PROTECTED)
    answer = p11_.C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &session_);
  return check(answer, "C_OpenSession");
}

Result<> Token::open(const TokenSelector& wanted) {
  const CK_RV answer = p11_.C_Initialize(nullptr);
  if (answer != CKR_OK && answer != CKR_CRYPTOKI_ALREADY_INITIALIZED)
    return refuse(Fault::kBadModule, "C_Initialize answered " + answer_text(answer));
  WVDS_TRY(choose_slot(wanted));
  return open_session();
}

Result<> Token::login(Bytes pin) {
  const auto* text = reinterpret_cast<const CK_UTF8CHAR*>(pin.data());
  const CK_RV answer = p11_.C_Login(session_, CKU_USER, const_cast<CK_UTF8CHAR*>(text), pin.size());
  if (answer == CKR_USER_ALREADY_LOGGED_IN) return {};
  return check(answer, "C_Login");
}

Result<> Token::set_pin(Bytes pin, Bytes new_pin) {
  const auto text = [](Bytes bytes) {
    return const_cast<CK_UTF8CHAR*>(reinterpret_cast<const CK_UTF8CHAR*>(bytes.data()));
  };
  return check(p11_.C_SetPIN(session_, text(pin), pin.size(), text(new_pin), new_pin.size()), "C_SetPIN");
}

Result<std::vector<CK_OBJECT_HANDLE>> Token::find(Attributes& wanted) {
  WVDS_TRY(check(p11_.C_FindObjectsInit(session_, wanted.data(), wanted.size()), "C_FindObjectsInit"));
  std::vector<CK_OBJECT_HANDLE> out(kMaxFound);
  CK_ULONG count = 0;
  const CK_RV answer = p11_.C_FindObjects(session_, out.data(), out.size(), &count);
  const CK_RV ended = p11_.C_FindObjectsFinal(session_);
  WVDS_TRY(check(answer, "C_FindObjects"));
  WVDS_TRY(check(ended, "C_FindObjectsFinal"));
  out.resize(std::min<CK_ULONG>(count, out.size()));
  return out;
}

Result<CK_OBJECT_HANDLE> Token::find_one(Attributes& wanted, const std::string& what) {
  WVDS_ASSIGN(found, find(wanted));
  if (found.empty()) return refuse(Fault::kKeyAbsent, what + " is not in the token " + short_text(facts_));
  if (found.size() > 1) {
    return refuse(Fault::kKeyDoubled, what + " is " + std::to_string(found.size()) + " times in the token " +
                                          short_text(facts_) + ": remove what does not belong there");
  }
  return found[0];
}

Result<std::vector<std::byte>> Token::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, size_t most) {
  std::vector<std::byte> out(most);
  CK_ATTRIBUTE wanted{type, out.data(), out.size()};
  WVDS_TRY(check(p11_.C_GetAttributeValue(session_, object, &wanted, 1), "C_GetAttributeValue"));
  if (wanted.ulValueLen > out.size()) return refuse(Fault::kFailed, "C_GetAttributeValue answered no proper length");
  out.resize(wanted.ulValueLen);
  return out;
}

bool Token::is(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool value) {
  CK_BBOOL there = 0xff;
  CK_ATTRIBUTE wanted{type, &there, sizeof there};
  return p11_.C_GetAttributeValue(session_, object, &wanted, 1) == CKR_OK && wanted.ulValueLen == sizeof there &&
         there == (value ? CK_TRUE : CK_FALSE);
}

Result<WipedBytes> Token::take_secret(CK_OBJECT_HANDLE object, size_t most) {
  WipedBytes out(most);
  CK_ATTRIBUTE wanted{CKA_VALUE, out.expose_for_writing().data(), out.size()};
  const CK_RV answer = p11_.C_GetAttributeValue(session_, object, &wanted, 1);
  const CK_RV destroyed = p11_.C_DestroyObject(session_, object);
  WVDS_TRY(check(answer, "C_GetAttributeValue"));
  WVDS_TRY(check(destroyed, "C_DestroyObject"));
  if (wanted.ulValueLen > most) return refuse(Fault::kFailed, "C_GetAttributeValue answered no proper length");
  out.shrink(wanted.ulValueLen);
  return out;
}

}  // namespace wvds::keystore::hsm
