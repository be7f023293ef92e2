// A provider module for tests: ML-DSA-65 and ML-KEM-768, computed by OpenSSL's default provider in a library context of
// its own. Each property name is another behaviour:
//
//   provider=wvdstest         does everything right
//   provider=wvdsliar         tells a wrong public key
//   provider=wvdsseedless     takes no seed, as a provider that knows expanded keys only
//   provider=wvdsdeaf         ignores the parameters of a signature: context string, deterministic, mu
//   provider=wvdsincomplete   lacks a function: signature contexts can't be duplicated, nothing is decapsulated
//
// It also has a KEM that no other provider has, WVDS-TEST-KEM. Where a file MODULE.uses stands beside the module, each
// operation appends a line to it, so that a test sees who served. A module that is built with WVDS_TEST_IMPOSTOR offers
// an algorithm under the properties of OpenSSL's own providers as well.

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

namespace {

enum class Behaviour { kRight, kLiar, kSeedless, kDeaf, kIncomplete };

struct Free {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_SIGNATURE* signature) const { EVP_SIGNATURE_free(signature); }
};
using ContextHandle = std::unique_ptr<EVP_PKEY_CTX, Free>;

// Module is what OSSL_provider_init makes: where the operations are computed, and where they are noted.
struct Module {
  OSSL_LIB_CTX* inner = nullptr;
  std::string uses_file;

  void note(const char* use) const {
    std::fstream file(uses_file, std::ios::in | std::ios::out | std::ios::ate);  // only where the test has made it
    if (file) file << use << '\n';
  }
};

Module* module_of(void* provider_context) { return static_cast<Module*>(provider_context); }

struct Key {
  const Module* module = nullptr;
  std::unique_ptr<EVP_PKEY, Free> inner;
};

Key* key_of(void* data) { return static_cast<Key*>(data); }

// ---- Keys

constexpr char kMlDsa[] = "ML-DSA-65";
constexpr char kMlKem[] = "ML-KEM-768";

void* new_key(void* provider_context) { return new Key{module_of(provider_context), nullptr}; }
void free_key(void* key) { delete key_of(key); }

void* start_generation(void* provider_context, int, const OSSL_PARAM*) { return provider_context; }
void end_generation(void*) {}

template <const char* name>
void* generate(void* provider_context, OSSL_CALLBACK*, void*) {
  const Module* module = module_of(provider_context);
  module->note("generate");
  EVP_PKEY* made = EVP_PKEY_Q_keygen(module->inner, nullptr, name);
  return made == nullptr ? nullptr : new Key{module, std::unique_ptr<EVP_PKEY, Free>(made)};
}

template <const char* name, Behaviour behaviour>
int import_key(void* data, int selection, const OSSL_PARAM* parameters) {
  Key* key = key_of(data);
  if (behaviour == Behaviour::kSeedless && OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_ML_DSA_SEED) != nullptr)
    return 0;
  key->module->note("import");
  const ContextHandle context(EVP_PKEY_CTX_new_from_name(key->module->inner, name, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, selection, const_cast<OSSL_PARAM*>(parameters)) != 1) {
    return 0;
  }
  key->inner.reset(made);
  return 1;
}

// Other providers could take the keys over, if somebody let them.
int export_key(void* data, int selection, OSSL_CALLBACK* take, void* argument) {
  return EVP_PKEY_export(key_of(data)->inner.get(), selection, take, argument);
}

const OSSL_PARAM* key_types(int) {
  static const OSSL_PARAM kTypes[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, nullptr, 0),
                                      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0), OSSL_PARAM_END};
  return kTypes;
}

const OSSL_PARAM* told_of_keys(void*) {
  static const OSSL_PARAM kTold[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                     OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                     OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                     OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, nullptr, 0),
                                     OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                     OSSL_PARAM_END};
  return kTold;
}

template <Behaviour behaviour>
int tell_of_key(void* data, OSSL_PARAM* parameters) {
  if (EVP_PKEY_get_params(key_of(data)->inner.get(), parameters) != 1) return 0;
  const OSSL_PARAM* told = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_PUB_KEY);
  if (behaviour == Behaviour::kLiar && told != nullptr && told->data != nullptr && told->return_size > 0)
    static_cast<unsigned char*>(told->data)[told->return_size - 1] ^= 1;
  return 1;
}

int key_has(const void* data, int) { return static_cast<const Key*>(data)->inner != nullptr ? 1 : 0; }

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

template <const char* name, Behaviour behaviour>
const OSSL_DISPATCH* key_functions() {
  static const OSSL_DISPATCH kFunctions[] = {entry(OSSL_FUNC_KEYMGMT_NEW, new_key),
                                             entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                             entry(OSSL_FUNC_KEYMGMT_GEN_INIT, start_generation),
                                             entry(OSSL_FUNC_KEYMGMT_GEN, generate<name>),
                                             entry(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, end_generation),
                                             entry(OSSL_FUNC_KEYMGMT_HAS, key_has),
                                             entry(OSSL_FUNC_KEYMGMT_IMPORT, import_key<name, behaviour>),
                                             entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),
                                             entry(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
                                             entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),
                                             entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, tell_of_key<behaviour>),
                                             entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, told_of_keys),
                                             {0, nullptr}};
  return kFunctions;
}

// ---- Operations: a context of the inner library, once there is a key

struct Operation {
  const Module* module = nullptr;
  ContextHandle inner;
};

Operation* operation_of(void* data) { return static_cast<Operation*>(data); }

void* new_operation(void* provider_context) { return new Operation{module_of(provider_context), nullptr}; }
void* new_signature(void* provider_context, const char*) { return new_operation(provider_context); }
void free_operation(void* data) { delete operation_of(data); }

void* duplicate_operation(void* data) {
  const Operation* from = operation_of(data);
  return new Operation{from->module, ContextHandle(EVP_PKEY_CTX_dup(from->inner.get()))};
}

bool give_key(Operation* operation, void* key) {
  operation->inner.reset(EVP_PKEY_CTX_new_from_pkey(operation->module->inner, key_of(key)->inner.get(), nullptr));
  return operation->inner != nullptr;
}

template <int (*init)(EVP_PKEY_CTX*, EVP_SIGNATURE*, const OSSL_PARAM*)>
int start_signature(void* data, void* key, const OSSL_PARAM* parameters) {
  Operation* operation = operation_of(data);
  const std::unique_ptr<EVP_SIGNATURE, Free> algorithm(EVP_SIGNATURE_fetch(operation->module->inner, kMlDsa, nullptr));
  return give_key(operation, key) && init(operation->inner.get(), algorithm.get(), parameters) == 1 ? 1 : 0;
}

int sign(void* data, unsigned char* signature, size_t* size, size_t room, const unsigned char* message, size_t length) {
  const Operation* operation = operation_of(data);
  operation->module->note("sign");
  *size = room;
  return EVP_PKEY_sign(operation->inner.get(), signature, size, message, length);
}

int verify(void* data, const unsigned char* signature, size_t size, const unsigned char* message, size_t length) {
  const Operation* operation = operation_of(data);
  operation->module->note("verify");
  return EVP_PKEY_verify(operation->inner.get(), signature, size, message, length);
}

template <Behaviour behaviour>
int set_signature(void* data, const OSSL_PARAM* parameters) {
  if (behaviour == Behaviour::kDeaf) return 1;
  return EVP_PKEY_CTX_set_params(operation_of(data)->inner.get(), parameters);
}

const OSSL_PARAM* set_of_signatures(void*, void*) {
  static const OSSL_PARAM kSet[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, nullptr, 0),
                                    OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, nullptr),
                                    OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MU, nullptr), OSSL_PARAM_END};
  return kSet;
}

template <Behaviour behaviour>
const OSSL_DISPATCH* signature_functions() {
  static const OSSL_DISPATCH kFunctions[] = {
      entry(OSSL_FUNC_SIGNATURE_NEWCTX, new_signature),
      entry(OSSL_FUNC_SIGNATURE_FREECTX, free_operation),
      entry(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT, start_signature<EVP_PKEY_sign_message_init>),
      entry(OSSL_FUNC_SIGNATURE_SIGN, sign),
      entry(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_INIT, start_signature<EVP_PKEY_verify_message_init>),
      entry(OSSL_FUNC_SIGNATURE_VERIFY, verify),
      entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_signature<behaviour>),
      entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, set_of_signatures),
      behaviour == Behaviour::kIncomplete ? OSSL_DISPATCH{0, nullptr}
                                          : entry(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate_operation),
      {0, nullptr}};
  return kFunctions;
}

template <int (*init)(EVP_PKEY_CTX*, const OSSL_PARAM*)>
int start_kem(void* data, void* key, const OSSL_PARAM* parameters) {
  Operation* operation = operation_of(data);
  return give_key(operation, key) && init(operation->inner.get(), parameters) == 1 ? 1 : 0;
}

int encapsulate(void* data, unsigned char* ciphertext, size_t* size, unsigned char* secret, size_t* secret_size) {
  const Operation* operation = operation_of(data);
  operation->module->note("encapsulate");
  return EVP_PKEY_encapsulate(operation->inner.get(), ciphertext, size, secret, secret_size);
}

template <Behaviour behaviour>
int decapsulate(void* data, unsigned char* secret, size_t* secret_size, const unsigned char* ciphertext, size_t size) {
  if (behaviour == Behaviour::kIncomplete) return 0;
  const Operation* operation = operation_of(data);
  operation->module->note("decapsulate");
  return EVP_PKEY_decapsulate(operation->inner.get(), secret, secret_size, ciphertext, size);
}

template <Behaviour behaviour>
const OSSL_DISPATCH* kem_functions() {
  static const OSSL_DISPATCH kFunctions[] = {
      entry(OSSL_FUNC_KEM_NEWCTX, new_operation),
      entry(OSSL_FUNC_KEM_FREECTX, free_operation),
      entry(OSSL_FUNC_KEM_ENCAPSULATE_INIT, start_kem<EVP_PKEY_encapsulate_init>),
      entry(OSSL_FUNC_KEM_ENCAPSULATE, encapsulate),
      entry(OSSL_FUNC_KEM_DECAPSULATE_INIT, start_kem<EVP_PKEY_decapsulate_init>),
      entry(OSSL_FUNC_KEM_DECAPSULATE, decapsulate<behaviour>),
      {0, nullptr}};
  return kFunctions;
}

// ---- What the module offers

template <Behaviour behaviour>
OSSL_ALGORITHM keys_of(const char* name, const char* properties) {
  const bool signs = std::strcmp(name, kMlDsa) == 0;
  return {name, properties, signs ? key_functions<kMlDsa, behaviour>() : key_functions<kMlKem, behaviour>(), nullptr};
}

const OSSL_ALGORITHM* offered_keys() {
  static const OSSL_ALGORITHM kOffered[] = {
      keys_of<Behaviour::kRight>(kMlDsa, "provider=wvdstest"),
      keys_of<Behaviour::kRight>(kMlKem, "provider=wvdstest"),
      keys_of<Behaviour::kLiar>(kMlDsa, "provider=wvdsliar"),
      keys_of<Behaviour::kLiar>(kMlKem, "provider=wvdsliar"),
      keys_of<Behaviour::kSeedless>(kMlDsa, "provider=wvdsseedless"),
      keys_of<Behaviour::kSeedless>(kMlKem, "provider=wvdsseedless"),
      keys_of<Behaviour::kDeaf>(kMlDsa, "provider=wvdsdeaf"),
      keys_of<Behaviour::kIncomplete>(kMlDsa, "provider=wvdsincomplete"),
      keys_of<Behaviour::kIncomplete>(kMlKem, "provider=wvdsincomplete"),
#ifdef WVDS_TEST_IMPOSTOR
      {"ML-KEM-512", "provider=default,fips=yes", key_functions<kMlKem, Behaviour::kRight>(), nullptr},
#endif
      {nullptr, nullptr, nullptr, nullptr}};
  return kOffered;
}

const OSSL_ALGORITHM* offered_signatures() {
  static const OSSL_ALGORITHM kOffered[] = {
      {kMlDsa, "provider=wvdstest", signature_functions<Behaviour::kRight>(), nullptr},
      {kMlDsa, "provider=wvdsliar", signature_functions<Behaviour::kRight>(), nullptr},
      {kMlDsa, "provider=wvdsseedless", signature_functions<Behaviour::kRight>(), nullptr},
      {kMlDsa, "provider=wvdsdeaf", signature_functions<Behaviour::kDeaf>(), nullptr},
      {kMlDsa, "provider=wvdsincomplete", signature_functions<Behaviour::kIncomplete>(), nullptr},
      {nullptr, nullptr, nullptr, nullptr}};
  return kOffered;
}

const OSSL_ALGORITHM* offered_kems() {
  static const OSSL_ALGORITHM kOffered[] = {
      {kMlKem, "provider=wvdstest", kem_functions<Behaviour::kRight>(), nullptr},
      {kMlKem, "provider=wvdsliar", kem_functions<Behaviour::kRight>(), nullptr},
      {kMlKem, "provider=wvdsseedless", kem_functions<Behaviour::kRight>(), nullptr},
      {kMlKem, "provider=wvdsincomplete", kem_functions<Behaviour::kIncomplete>(), nullptr},
      {"WVDS-TEST-KEM", "provider=wvdstest", kem_functions<Behaviour::kRight>(), nullptr},
#ifdef WVDS_TEST_IMPOSTOR
      {"ML-KEM-512", "provider=default,fips=yes", kem_functions<Behaviour::kRight>(), nullptr},
#endif
      {nullptr, nullptr, nullptr, nullptr}};
  return kOffered;
}

const OSSL_ALGORITHM* offered(void*, int operation, int* is_changing) {
  *is_changing = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT: return offered_keys();
    case OSSL_OP_SIGNATURE: return offered_signatures();
    case OSSL_OP_KEM: return offered_kems();
    default: return nullptr;
  }
}

int tell_of_module(void*, OSSL_PARAM* parameters) {
  OSSL_PARAM* name = OSSL_PARAM_locate(parameters, OSSL_PROV_PARAM_NAME);
  OSSL_PARAM* version = OSSL_PARAM_locate(parameters, OSSL_PROV_PARAM_VERSION);
  OSSL_PARAM* status = OSSL_PARAM_locate(parameters, OSSL_PROV_PARAM_STATUS);
  return (name == nullptr || OSSL_PARAM_set_utf8_ptr(name, "WvdS Test Provider") == 1) &&
                 (version == nullptr || OSSL_PARAM_set_utf8_ptr(version, "1.0") == 1) &&
                 (status == nullptr || OSSL_PARAM_set_int(status, 1) == 1)
             ? 1
             : 0;
}

void end_module(void* provider_context) {
  const std::unique_ptr<Module> module(module_of(provider_context));
  OSSL_LIB_CTX_free(module->inner);
}

// The core tells where the module's file is.
std::string module_file(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core) {
  for (; core->function_id != 0; ++core) {
    if (core->function_id != OSSL_FUNC_CORE_GET_PARAMS) continue;
    char* file = nullptr;
    std::array parameters{OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_CORE_MODULE_FILENAME, &file, 0),
                          OSSL_PARAM_construct_end()};
    if (OSSL_FUNC_core_get_params(core)(handle, parameters.data()) == 1 && file != nullptr) return file;
  }
  return {};
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE* handle,
                                                                         const OSSL_DISPATCH* core,
                                                                         const OSSL_DISPATCH** out,
                                                                         void** provider_context) {
  static const OSSL_DISPATCH kFunctions[] = {entry(OSSL_FUNC_PROVIDER_TEARDOWN, end_module),
                                             entry(OSSL_FUNC_PROVIDER_GET_PARAMS, tell_of_module),
                                             entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, offered),
                                             {0, nullptr}};
  OSSL_LIB_CTX* inner = OSSL_LIB_CTX_new();
  if (inner == nullptr) return 0;
  *provider_context = new Module{inner, module_file(handle, core) + ".uses"};
  *out = kFunctions;
  return 1;
}
