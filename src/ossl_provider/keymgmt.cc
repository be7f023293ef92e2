// Key management: what OpenSSL asks about keys, and how their public part gets to other providers.

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

#include "ossl_provider/dispatch.h"
#include "ossl_provider/key.h"

namespace wvds::ossl_provider {
namespace {

const Key* key_of(const void* keydata) {
  return keydata == nullptr ? nullptr : static_cast<const KeyData*>(keydata)->key.get();
}

void* new_key(void* provider) { return new (std::nothrow) KeyData{*static_cast<ProviderContext*>(provider), nullptr}; }

void free_key(void* keydata) { delete static_cast<KeyData*>(keydata); }

// A copy has whatever parts were asked for: there is no key with fewer parts than its public one.
void* duplicate(const void* keydata, int) {
  return keydata == nullptr ? nullptr : new (std::nothrow) KeyData(*static_cast<const KeyData*>(keydata));
}

// load takes what the store offers. Errors raised here would be dropped by OpenSSL: the store raises them.
template <Demand demand>
void* load(const void* reference, size_t size) {
  if (reference == nullptr || size != sizeof(StoreReference)) return nullptr;
  const auto& [provider, offer] = *static_cast<const StoreReference*>(reference);
  const SharedKey& key = offer->key;
  if (key->service) {
    if (const auto met = key->service->meets(demand); !met) {
      offer->refused = met.error();
      return nullptr;
    }
  }
  return new (std::nothrow) KeyData{*provider, key};
}

int has(const void* keydata, int selection) {
  const Key* key = key_of(keydata);
  if (key == nullptr) return 0;
  const bool wants_private = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
  return !wants_private || key->service != nullptr ? 1 : 0;
}

int match(const void* keydata1, const void* keydata2, int selection) {
  const Key* one = key_of(keydata1);
  const Key* other = key_of(keydata2);
  if (one == nullptr || other == nullptr || one->type != other->type) return 0;
  return (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0 || one->public_key == other->public_key ? 1 : 0;
}

// ---- What is asked about a key

int set_int(OSSL_PARAM params[], const char* name, int value) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
  return param == nullptr ? 1 : OSSL_PARAM_set_int(param, value);
}
int set_text(OSSL_PARAM params[], const char* name, const char* value) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
  return param == nullptr ? 1 : OSSL_PARAM_set_utf8_string(param, value);
}
int set_octets(OSSL_PARAM params[], const char* name, OctetsView value) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
  return param == nullptr ? 1 : OSSL_PARAM_set_octet_string(param, value.data(), value.size());
}

bool describe_ec(const Key& key, OSSL_PARAM params[]) {
  return set_text(params, OSSL_PKEY_PARAM_DEFAULT_DIGEST, "SHA256") == 1 &&
         set_text(params, OSSL_PKEY_PARAM_GROUP_NAME, key.type->group) == 1 &&
         set_text(params, OSSL_PKEY_PARAM_EC_ENCODING, "named_curve") == 1 &&
         set_text(params, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") == 1 &&
         set_text(params, OSSL_PKEY_PARAM_EC_FIELD_TYPE, "prime-field") == 1 &&
         set_int(params, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, 0) == 1 &&
         set_octets(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, key.public_key) == 1;
}

// An empty mandatory digest says that the algorithm hashes by itself.
bool describe_ml_dsa(OSSL_PARAM params[]) { return set_text(params, OSSL_PKEY_PARAM_MANDATORY_DIGEST, "") == 1; }

int get_params(void* keydata, OSSL_PARAM params[]) {
  const Key* key = key_of(keydata);
  if (key == nullptr) return 0;
  const KeyType& type = *key->type;
  const bool known = set_int(params, OSSL_PKEY_PARAM_BITS, type.bits) == 1 &&
                     set_int(params, OSSL_PKEY_PARAM_SECURITY_BITS, type.security_bits) == 1 &&
                     set_int(params, OSSL_PKEY_PARAM_SECURITY_CATEGORY, type.security_category) == 1 &&
                     set_int(params, OSSL_PKEY_PARAM_MAX_SIZE, static_cast<int>(type.signature_size)) == 1 &&
                     set_octets(params, OSSL_PKEY_PARAM_PUB_KEY, key->public_key) == 1;
  return known && (type.is_ec() ? describe_ec(*key, params) : describe_ml_dsa(params)) ? 1 : 0;
}

const OSSL_PARAM* gettable_ec_params(void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_CATEGORY, nullptr),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, nullptr, 0),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_FIELD_TYPE, nullptr, 0),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, nullptr),
                                       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
                                       OSSL_PARAM_END};
  return kParams;
}

const OSSL_PARAM* gettable_ml_dsa_params(void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_CATEGORY, nullptr),
                                       OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                       OSSL_PARAM_END};
  return kParams;
}

// ---- To and from other providers: the public part alone

const OSSL_PARAM* public_params(int) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END};
  return kParams;
}

// export_key fails when private parts are wanted. OpenSSL tries that also to find out that the key has to be used where
// it is; it takes the error back then.
int export_key(void* keydata, int selection, OSSL_CALLBACK* callback, void* argument) {
  const Key* key = key_of(keydata);
  if (key == nullptr) return 0;
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
    static_cast<const KeyData*>(keydata)->provider.errors().raise(
        Status::kDenied, "the private key stays in the crypto service: nothing brings it out", "export");
    return 0;
  }
  std::array<OSSL_PARAM, 3> params{};
  size_t count = 0;
  if (key->type->is_ec() && (selection & OSSL_KEYMGMT_SELECT_ALL_PARAMETERS) != 0) {
    params[count++] =
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(key->type->group), 0);
  }
  if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0) {
    params[count++] = OSSL_PARAM_construct_octet_string(
        OSSL_PKEY_PARAM_PUB_KEY, const_cast<uint8_t*>(key->public_key.data()), key->public_key.size());
  }
  params[count] = OSSL_PARAM_construct_end();
  return count == 0 ? 0 : callback(params.data(), argument);
}

// type_of finds the key type that parameters are for: `algorithm`, or with 0 the curve that they name.
const KeyType* type_of(wvds_algorithm algorithm, const OSSL_PARAM params[]) {
  if (algorithm != 0) return key_type(algorithm);
  const OSSL_PARAM* group = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
  std::array<char, 32> name{};
  char* text = name.data();
  if (group == nullptr || OSSL_PARAM_get_utf8_string(group, &text, name.size()) != 1) return nullptr;
  return curve(text);
}

// imported is null for what is no public key of one of the service's algorithms, or a compressed point.
SharedKey imported(wvds_algorithm algorithm, const OSSL_PARAM params[]) {
  const KeyType* type = type_of(algorithm, params);
  const OSSL_PARAM* encoded = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
  const void* octets = nullptr;
  size_t size = 0;
  if (type == nullptr || encoded == nullptr || OSSL_PARAM_get_octet_string_ptr(encoded, &octets, &size) != 1)
    return nullptr;
  if (size != type->public_key_size) return nullptr;
  const auto* first = static_cast<const uint8_t*>(octets);
  return std::make_shared<const Key>(Key{type, Octets(first, first + size), nullptr});
}

// import_key takes a public key, so that OpenSSL can compare it with one of the service. It fails without an error:
// OpenSSL then compares the other way round.
template <wvds_algorithm algorithm>
int import_key(void* keydata, int, const OSSL_PARAM params[]) {
  auto* data = static_cast<KeyData*>(keydata);
  if (data == nullptr) return 0;
  return guard(data->provider.errors(), "import",
               [&]() -> Result<> {
                 data->key = imported(algorithm, params);
                 return {};
               }) == 1 &&
         data->key != nullptr;
}

const char* signature_of_ec(int operation) { return operation == OSSL_OP_SIGNATURE ? "ECDSA" : nullptr; }

// ---- Tables

template <wvds_algorithm algorithm, Demand demand>
const std::array kMlDsaFunctions{
    entry<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, new_key),
    entry<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_key),
    entry<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load<demand>),
    entry<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
    entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
    entry<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
    entry<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
    entry<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_ml_dsa_params),
    entry<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
    entry<OSSL_FUNC_keymgmt_export_types_fn>(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, public_params),
    entry<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import_key<algorithm>),
    entry<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, public_params),
    kEnd};

template <Demand demand>
const std::array kEcFunctions{
    entry<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, new_key),
    entry<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_key),
    entry<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load<demand>),
    entry<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
    entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
    entry<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
    entry<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
    entry<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_ec_params),
    entry<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
    entry<OSSL_FUNC_keymgmt_export_types_fn>(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, public_params),
    entry<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import_key<0>),
    entry<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, public_params),
    entry<OSSL_FUNC_keymgmt_query_operation_name_fn>(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, signature_of_ec),
    kEnd};

constexpr const char* kEcNames = "EC:id-ecPublicKey:1.2.840.10045.2.1";

}  // namespace

const OSSL_ALGORITHM* keymgmt_tables(bool with_ml_dsa) {
  static const std::array kTables{
      algorithm_entry(kEcNames, kProperties, kEcFunctions<Demand::kNothing>),
      algorithm_entry(kEcNames, kFipsProperties, kEcFunctions<Demand::kFips>),
      algorithm_entry(kMlDsa44Names, kProperties, kMlDsaFunctions<WVDS_MLDSA_44, Demand::kNothing>),
      algorithm_entry(kMlDsa44Names, kFipsProperties, kMlDsaFunctions<WVDS_MLDSA_44, Demand::kFips>),
      algorithm_entry(kMlDsa65Names, kProperties, kMlDsaFunctions<WVDS_MLDSA_65, Demand::kNothing>),
      algorithm_entry(kMlDsa65Names, kFipsProperties, kMlDsaFunctions<WVDS_MLDSA_65, Demand::kFips>),
      algorithm_entry(kMlDsa87Names, kProperties, kMlDsaFunctions<WVDS_MLDSA_87, Demand::kNothing>),
      algorithm_entry(kMlDsa87Names, kFipsProperties, kMlDsaFunctions<WVDS_MLDSA_87, Demand::kFips>),
      OSSL_ALGORITHM{}};
  static const std::array kEcTables{kTables[0], kTables[1], OSSL_ALGORITHM{}};
  return with_ml_dsa ? kTables.data() : kEcTables.data();
}

}  // namespace wvds::ossl_provider
