#include "ossl_provider/provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <array>
#include <charconv>
#include <string_view>

#include "ossl_provider/dispatch.h"
#include "ossl_provider/ecdsa_signature.h"
#include "ossl_provider/key.h"
#include "ossl_provider/mldsa_signature.h"

namespace wvds::ossl_provider {
namespace {

// OpenSSL 3.5 is the first with ML-DSA: its signatures by message, its names, its encodings.
constexpr int kMajorWithMlDsa = 3;
constexpr int kMinorWithMlDsa = 5;

bool knows_ml_dsa(std::string_view version) {
  int major = 0;
  int minor = 0;
  const char* end = version.data() + version.size();
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): `end` is the end
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ptr == end || *first.ptr != '.') return false;
  std::from_chars(first.ptr + 1, end, minor);
  return major > kMajorWithMlDsa || (major == kMajorWithMlDsa && minor >= kMinorWithMlDsa);
}

OSSL_FUNC_core_get_params_fn* get_params_of(const OSSL_DISPATCH* functions) {
  for (; functions->function_id != 0; ++functions) {
    if (functions->function_id == OSSL_FUNC_CORE_GET_PARAMS) return OSSL_FUNC_core_get_params(functions);
  }
  return nullptr;
}

const OSSL_ALGORITHM* query(void* provider_context, int operation, int* no_cache) {
  const bool with_ml_dsa = static_cast<const ProviderContext*>(provider_context)->has_ml_dsa();
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT: return keymgmt_tables(with_ml_dsa);
    case OSSL_OP_SIGNATURE: return signature_tables(with_ml_dsa);
    case OSSL_OP_STORE: return store_tables();
    default: return nullptr;
  }
}

const OSSL_PARAM* gettable_provider_params(void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                       OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
                                       OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, nullptr, 0),
                                       OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr), OSSL_PARAM_END};
  return kParams;
}

int get_provider_params(void*, OSSL_PARAM params[]) {
  OSSL_PARAM* name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
  OSSL_PARAM* version = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
  OSSL_PARAM* build = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_BUILDINFO);
  OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  const bool known = (name == nullptr || OSSL_PARAM_set_utf8_ptr(name, "WvdS Crypto Service") == 1) &&
                     (version == nullptr || OSSL_PARAM_set_utf8_ptr(version, wvds_library_version()) == 1) &&
                     (build == nullptr || OSSL_PARAM_set_utf8_ptr(build, wvds_library_version()) == 1) &&
                     (status == nullptr || OSSL_PARAM_set_int(status, 1) == 1);
  return known ? 1 : 0;
}

const OSSL_ITEM* reasons(void*) { return reason_strings(); }

void tear_down(void* provider_context) { delete static_cast<ProviderContext*>(provider_context); }

const std::array kFunctions{
    entry<OSSL_FUNC_provider_teardown_fn>(OSSL_FUNC_PROVIDER_TEARDOWN, tear_down),
    entry<OSSL_FUNC_provider_gettable_params_fn>(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_provider_params),
    entry<OSSL_FUNC_provider_get_params_fn>(OSSL_FUNC_PROVIDER_GET_PARAMS, get_provider_params),
    entry<OSSL_FUNC_provider_query_operation_fn>(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
    entry<OSSL_FUNC_provider_get_reason_strings_fn>(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, reasons),
    kEnd};

}  // namespace

void LibraryContextRelease::operator()(ossl_lib_ctx_st* context) const { OSSL_LIB_CTX_free(context); }

ProviderContext::ProviderContext(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions,
                                 ProcessNumber process_number)
    : errors_(core, core_functions), pools_(process_number), programs_(OSSL_LIB_CTX_new_child(core, core_functions)) {
  read_parameters(core, core_functions);
}

void ProviderContext::read_parameters(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions) {
  const auto get = get_params_of(core_functions);
  const char* version = nullptr;
  const char* socket = nullptr;
  std::array params{OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_CORE_VERSION, const_cast<char**>(&version), 0),
                    OSSL_PARAM_construct_utf8_ptr("socket", const_cast<char**>(&socket), 0),
                    OSSL_PARAM_construct_end()};
  if (get == nullptr || get(core, params.data()) != 1) return;
  has_ml_dsa_ = version != nullptr && knows_ml_dsa(version);
  if (socket != nullptr) default_socket_ = socket;
}

const OSSL_ALGORITHM* signature_tables(bool with_ml_dsa) {
  static const std::array kTables{OSSL_ALGORITHM{"ECDSA", kProperties, ecdsa_functions(false), nullptr},
                                  OSSL_ALGORITHM{"ECDSA", kFipsProperties, ecdsa_functions(true), nullptr},
                                  OSSL_ALGORITHM{kMlDsa44Names, kProperties, mldsa_functions(false), nullptr},
                                  OSSL_ALGORITHM{kMlDsa44Names, kFipsProperties, mldsa_functions(true), nullptr},
                                  OSSL_ALGORITHM{kMlDsa65Names, kProperties, mldsa_functions(false), nullptr},
                                  OSSL_ALGORITHM{kMlDsa65Names, kFipsProperties, mldsa_functions(true), nullptr},
                                  OSSL_ALGORITHM{kMlDsa87Names, kProperties, mldsa_functions(false), nullptr},
                                  OSSL_ALGORITHM{kMlDsa87Names, kFipsProperties, mldsa_functions(true), nullptr},
                                  OSSL_ALGORITHM{}};
  static const std::array kEcTables{kTables[0], kTables[1], OSSL_ALGORITHM{}};
  return with_ml_dsa ? kTables.data() : kEcTables.data();
}

int start_provider(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions, const OSSL_DISPATCH** functions,
                   void** provider_context, ProcessNumber process_number) {
  std::unique_ptr<ProviderContext> context;
  guard(ErrorQueue(core, core_functions), "provider_init", [&]() -> Result<> {
    context = std::make_unique<ProviderContext>(core, core_functions, process_number);
    return {};
  });
  if (!context || !context->usable()) return 0;
  *functions = kFunctions.data();
  *provider_context = context.release();
  return 1;
}

int provider_init(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions, const OSSL_DISPATCH** functions,
                  void** provider_context) {
  return start_provider(core, core_functions, functions, provider_context, only_process);
}

}  // namespace wvds::ossl_provider
