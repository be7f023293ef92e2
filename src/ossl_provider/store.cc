// The store: what a URI names becomes a key of OpenSSL.

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include <array>

#include "ossl_provider/dispatch.h"
#include "ossl_provider/key.h"

namespace wvds::ossl_provider {
namespace {

// Opened is an open URI, from which one key comes.
struct Opened {
  ProviderContext& provider;
  std::shared_ptr<const ServiceKey> key{};
  int expected = 0;  // kind of object (OSSL_STORE_INFO_), 0: any
  bool at_end = false;
};

// The service is asked at once: OpenSSL reports a URI that can't be opened more clearly than one that gives nothing.
Result<> open_uri(Opened& opened, const char* text) {
  WVDS_ASSIGN(uri, parse_key_uri(text));
  if (uri.socket.empty()) uri.socket = opened.provider.default_socket();
  WVDS_ASSIGN(key, ServiceKey::load(opened.provider.pools(), std::move(uri)));
  if (!key->type().is_ec() && !opened.provider.has_ml_dsa()) {
    return fail(Status::kUnsupported, key->name() + " is for " + key->type().name +
                                          ", which this program's OpenSSL does not know; 3.5 and later do");
  }
  opened.key = std::move(key);
  return {};
}

void* open(void* provider_context, const char* uri) {
  auto& provider = *static_cast<ProviderContext*>(provider_context);
  std::unique_ptr<Opened> opened;
  const int done = guard(provider.errors(), "open", [&] {
    opened.reset(new Opened{provider});
    return open_uri(*opened, uri);
  });
  return done == 1 ? opened.release() : nullptr;
}

int close(void* store) {
  delete static_cast<Opened*>(store);
  return 1;
}

int at_end(void* store) { return static_cast<Opened*>(store)->at_end ? 1 : 0; }

const OSSL_PARAM* settable_params(void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, nullptr), OSSL_PARAM_END};
  return kParams;
}

int set_params(void* store, const OSSL_PARAM params[]) {
  const OSSL_PARAM* expected = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);
  return expected == nullptr ? 1 : OSSL_PARAM_get_int(expected, &static_cast<Opened*>(store)->expected);
}

// offer hands the key over by reference. Who wants a public key gets one without the private part.
Result<> offer(Opened& opened, OSSL_CALLBACK* callback, void* argument) {
  const bool is_private = opened.expected != OSSL_STORE_INFO_PUBKEY && opened.key->may_sign();
  if (opened.expected == OSSL_STORE_INFO_PKEY) WVDS_TRY(opened.key->may_sign());
  const KeyType& type = opened.key->type();
  KeyOffer key;
  key.key = std::make_shared<const Key>(Key{&type, opened.key->public_key(), is_private ? opened.key : nullptr});
  StoreReference reference{&opened.provider, &key};
  int kind = OSSL_OBJECT_PKEY;
  const std::array params{
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &kind),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, const_cast<char*>(type.name), 0),
      OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &reference, sizeof reference),
      OSSL_PARAM_construct_end()};
  if (callback(params.data(), argument) == 1) return {};
  if (key.refused.status != Status::kSuccess) return std::unexpected<Error>(std::move(key.refused));
  return fail(Status::kInternalError, opened.key->name() + " was not taken over by OpenSSL");
}

int load(void* store, OSSL_CALLBACK* callback, void* argument, OSSL_PASSPHRASE_CALLBACK*, void*) {
  auto& opened = *static_cast<Opened*>(store);
  opened.at_end = true;
  const bool wanted =
      opened.expected == 0 || opened.expected == OSSL_STORE_INFO_PKEY || opened.expected == OSSL_STORE_INFO_PUBKEY;
  if (!wanted) return 0;
  return guard(opened.provider.errors(), "load", [&] { return offer(opened, callback, argument); });
}

const std::array kStoreFunctions{
    entry<OSSL_FUNC_store_open_fn>(OSSL_FUNC_STORE_OPEN, open),
    entry<OSSL_FUNC_store_settable_ctx_params_fn>(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, settable_params),
    entry<OSSL_FUNC_store_set_ctx_params_fn>(OSSL_FUNC_STORE_SET_CTX_PARAMS, set_params),
    entry<OSSL_FUNC_store_load_fn>(OSSL_FUNC_STORE_LOAD, load),
    entry<OSSL_FUNC_store_eof_fn>(OSSL_FUNC_STORE_EOF, at_end),
    entry<OSSL_FUNC_store_close_fn>(OSSL_FUNC_STORE_CLOSE, close),
    kEnd};

}  // namespace

// The store itself does no cryptography: which key management takes the key decides about FIPS.
const OSSL_ALGORITHM* store_tables() {
  static const std::array kTables{algorithm_entry(kScheme, kFipsProperties, kStoreFunctions), OSSL_ALGORITHM{}};
  return kTables.data();
}

}  // namespace wvds::ossl_provider
