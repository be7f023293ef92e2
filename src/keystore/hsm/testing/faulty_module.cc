// A PKCS#11 module that passes every call on to another one, but does what the file $WVDS_FAULTY_ORDERS says of a
// function: "FUNCTION ORDER" in each line, where ORDER is crash, hang, a CK_RV such as 0xb3, or "lie"; followed by
// " once" where only the next call is meant. $WVDS_FAULTY_REAL is the other module.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST faulty;

std::vector<std::string> lines_of(const char* path) {
  std::vector<std::string> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

void write_lines(const char* path, const std::vector<std::string>& lines) {
  std::ofstream file(path);
  for (const std::string& line : lines) file << line << '\n';
}

// order_for is what is to be done at a call of `function`; empty: nothing unusual.
std::string order_for(const char* function) {
  const char* const path = std::getenv("WVDS_FAULTY_ORDERS");
  if (path == nullptr) return {};
  std::vector<std::string> lines = lines_of(path);
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    std::istringstream words(*line);
    std::string name, order, once;
    words >> name >> order >> once;
    if (name != function) continue;
    if (once == "once") write_lines(path, (lines.erase(line), lines));
    return order;
  }
  return {};
}

// obey does what can be done without knowing the function.
std::optional<CK_RV> obey(const std::string& order) {
  if (order == "crash") std::raise(SIGSEGV);
  while (order == "hang") ::pause();
  if (order.starts_with("0x")) return std::stoul(order, nullptr, 16);
  return std::nullopt;
}

template <class... Arguments>
using Function = CK_RV (*)(Arguments...);

// forward<&CK_FUNCTION_LIST::X> is an X that looks for orders first.
template <auto kMember, const char* kName, class Type>
struct Forward;
template <auto kMember, const char* kName, class... Arguments>
struct Forward<kMember, kName, Function<Arguments...>> {
  static CK_RV call(Arguments... arguments) {
    if (const auto answer = obey(order_for(kName))) return *answer;
    return (real->*kMember)(arguments...);
  }
};

#define WVDS_FORWARD(name)                                                                        \
  {                                                                                               \
    static constexpr char text[] = #name;                                                         \
    faulty.name = Forward<&CK_FUNCTION_LIST::name, text, decltype(CK_FUNCTION_LIST::name)>::call; \
  }

// Functions that can also lie
CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* list, CK_ULONG count) {
  const std::string order = order_for("C_GetAttributeValue");
  if (const auto answer = obey(order)) return *answer;
  const CK_RV answer = real->C_GetAttributeValue(session, object, list, count);
  if (order == "extractable" && list[0].type == CKA_NEVER_EXTRACTABLE)
    *static_cast<CK_BBOOL*>(list[0].pValue) = CK_FALSE;
  if (order == "readable" && list[0].type == CKA_VALUE) return list[0].ulValueLen = 32, CKR_OK;
  if (order == "long") list[0].ulValueLen = 1 << 30;
  if (order == "other" && list[0].type == CKA_VALUE) static_cast<unsigned char*>(list[0].pValue)[0] ^= 1;
  if (order == "short" && list[0].type == CKA_VALUE) list[0].ulValueLen = 16;
  return answer;
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const std::string order = order_for("C_GetTokenInfo");
  if (const auto answer = obey(order)) return *answer;
  const CK_RV answer = real->C_GetTokenInfo(slot, info);
  if (order == "final-try") info->flags |= CKF_USER_PIN_FINAL_TRY;
  if (order == "locked") info->flags |= CKF_USER_PIN_LOCKED;
  if (order == "control") std::memset(info->label, 0x1b, sizeof info->label);
  return answer;
}

CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  const std::string order = order_for("C_GetMechanismInfo");
  if (const auto answer = obey(order)) return *answer;
  if (order == "no-wrap" && (type == 0x210A || type == 0x210B)) return CKR_MECHANISM_INVALID;
  return real->C_GetMechanismInfo(slot, type, info);
}

CK_RV wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM* how, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE what, CK_BYTE* out,
               CK_ULONG* size) {
  const std::string order = order_for("C_WrapKey");
  if (const auto answer = obey(order)) return *answer;
  if (order == "anything" && with == what) return CKR_OK;
  const CK_RV answer = real->C_WrapKey(session, how, with, what, out, size);
  if (order == "long") *size = 1 << 30;
  if (order == "short") *size = 8;
  return answer;
}

CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* out, CK_ULONG most, CK_ULONG* count) {
  const std::string order = order_for("C_FindObjects");
  if (const auto answer = obey(order)) return *answer;
  const CK_RV answer = real->C_FindObjects(session, out, most, count);
  if (order == "twice" && *count == 1) out[(*count)++] = out[0];
  if (order == "many") *count = 1 << 30;
  if (order == "none") *count = 0;
  return answer;
}

CK_RV get_slot_list(CK_BBOOL with_token, CK_SLOT_ID* list, CK_ULONG* count) {
  const std::string order = order_for("C_GetSlotList");
  if (const auto answer = obey(order)) return *answer;
  if (order == "none") return *count = 0, CKR_OK;
  const CK_RV answer = real->C_GetSlotList(with_token, list, count);
  if (order == "many") *count = 1 << 30;
  return answer;
}

bool make_list() {
  const char* const path = std::getenv("WVDS_FAULTY_REAL");
  void* const library = path != nullptr ? ::dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  const auto get =
      library != nullptr ? reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList")) : nullptr;
  if (get == nullptr || get(&real) != CKR_OK) return false;
  faulty = *real;
  WVDS_FORWARD(C_Initialize)
  WVDS_FORWARD(C_OpenSession)
  WVDS_FORWARD(C_Login)
  WVDS_FORWARD(C_SetPIN)
  WVDS_FORWARD(C_GenerateKey)
  WVDS_FORWARD(C_CreateObject)
  WVDS_FORWARD(C_DestroyObject)
  WVDS_FORWARD(C_FindObjectsInit)
  WVDS_FORWARD(C_UnwrapKey)
  faulty.C_GetAttributeValue = get_attribute_value;
  faulty.C_GetTokenInfo = get_token_info;
  faulty.C_GetMechanismInfo = get_mechanism_info;
  faulty.C_WrapKey = wrap_key;
  faulty.C_FindObjects = find_objects;
  faulty.C_GetSlotList = get_slot_list;
  return true;
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  const std::string order = order_for("C_GetFunctionList");
  if (const auto answer = obey(order)) return *answer;
  if (!make_list()) return CKR_GENERAL_ERROR;
  if (order == "version") faulty.version = {9, 1};
  *list = &faulty;
  return CKR_OK;
}
