#pragma once

#include <openssl/core.h>

#include <memory>
#include <string>

#include "base/result.h"

struct evp_pkey_st;
struct ossl_lib_ctx_st;
struct ossl_provider_st;

// An OpenSSL provider through which programs use keys that live in crypto_service: ML-DSA-44, -65, -87 and EC keys on
// P-256 and P-384. OpenSSL signs with them wherever it takes a private key (TLS, CSRs, certificates, CMS); the private
// key stays in the service.
//
// In two forms of one code: a static library for programs of this project, and the module wvds.so for any program with
// OpenSSL 3.0 or later (ML-DSA: 3.5), which docs/openssl-provider.md describes. The provider `default` or `fips` is
// loaded before it: it makes keys of its own, hashes, verifies and encodes; this one only has keys of the service.
//
// Keys are named by URI, for OSSL_STORE and every program that gives it what a user wrote:
//
//     wvds:key=ID[;socket=ADDRESS]
//
// ID is the key's number. ADDRESS is what wvds_connect takes (on Linux the path of the service's socket), by default
// the one that the provider's section of openssl.cnf names as `socket`, else the client library's default. In ADDRESS
// %XX is a byte, so that %3B is a semicolon. Each part may stand once, in any order; anything else is refused.
//
// - Rights: loading a key asks the service for key-info and key-public, signing for mldsa-sign or ecdsa-sign and
//   key-info. A key is private for OpenSSL when it has the usage sign or tls-and-csr; the latter signs with an empty
//   context only. Verifying asks the service nothing: the program's own providers do it with the public key.
// - A loaded key is the version that was the newest then. After a rotation the service signs with another: the
// signature
//   is thrown away and the call fails, saying so, because it would not match the certificate. Load the key again.
// - FIPS: every implementation is there with the property fips=yes and without. The former refuses, at loading and
// again
//   with each signature, a key that the service does not serve by OpenSSL's FIPS module at that moment. So a program
//   whose default property is fips=yes uses a key exactly while that holds, whatever the service was doing when the
//   provider was loaded. ("?fips=yes" demands it as well.) What it hashes and verifies is fetched with fips=yes too.
// - No service is needed until a key is loaded. A key that was loaded stays usable over restarts of the service, if it
//   is a persistent one; while no service is there, signing fails at once.
// - Threads: keys and contexts are used as OpenSSL's own. A signature takes a session of its own for as long as it
//   lasts; each address has at most kMaxSessions, which stay open, and who finds all in use waits for one.
// - A child process that was forked opens sessions of its own; only the module notices that, the static library may not
//   be used in both processes.
// - Signing blocks, at most for the client library's default timeout; longer where the service's rate limit makes it
//   wait for a session's worth of requests, or all sessions are in use.
// - Sizes: ML-DSA signs messages up to what one request holds (65,528 bytes with the context string); EC any size, with
//   SHA-256, SHA-384 or SHA-512.
// - Errors lie in OpenSSL's queue of the thread, with the service's status as reason ("KEY_NOT_FOUND") and a sentence
//   that says which key, where, and what helps.
namespace wvds::ossl_provider {

inline constexpr const char* kProviderName = "wvds";

// kMaxSessions is what a program takes of the sessions that the service allows a client, for each address.
inline constexpr unsigned kMaxSessions = 4;

// provider_init is the provider's entry point (OSSL_provider_init) for OSSL_PROVIDER_add_builtin.
int provider_init(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions, const OSSL_DISPATCH** functions,
                  void** provider_context);

struct ProviderUnload {
  void operator()(ossl_provider_st* provider) const;
};
using LoadedProvider = std::unique_ptr<ossl_provider_st, ProviderUnload>;

// add_provider adds the provider to a library context and loads it, until what it returns is destroyed: before the
// context is, and after all keys that were loaded. Call it after the context's other providers were loaded, once.
// kCryptoError when OpenSSL does not take it.
Result<LoadedProvider> add_provider(ossl_lib_ctx_st* context);

struct PkeyRelease {
  void operator()(evp_pkey_st* key) const;
};
using Pkey = std::unique_ptr<evp_pkey_st, PkeyRelease>;

// load_key loads the private key that `uri` names, for a context that has the provider. The status is that of the
// service (kKeyNotFound, kDenied, kConnectFailed and so on), kInvalidArgument for what is no such URI, kWrongKeyType
// for a key that does not sign, kWrongKeyUsage for one that was not made to, kUnsupported when the context demands FIPS
// and the service does not serve the key so. The thread's error queue is empty afterwards.
Result<Pkey> load_key(ossl_lib_ctx_st* context, const std::string& uri);

}  // namespace wvds::ossl_provider
