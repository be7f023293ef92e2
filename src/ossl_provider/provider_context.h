#pragma once

#include <openssl/core.h>

#include <memory>
#include <string>

#include "ossl_provider/errors.h"
#include "ossl_provider/sessions.h"

struct ossl_lib_ctx_st;

namespace wvds::ossl_provider {

struct LibraryContextRelease {
  void operator()(ossl_lib_ctx_st* context) const;
};

// ProviderContext is one loaded provider: what OpenSSL passes to its functions as provctx.
class ProviderContext {
 public:
  ProviderContext(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions, ProcessNumber process_number);

  // usable tells whether the core offers what is needed.
  bool usable() const { return programs_ != nullptr; }

  const ErrorQueue& errors() const { return errors_; }
  SessionPools& pools() { return pools_; }

  // programs is a library context with the providers of the program that loaded this one, and its default properties:
  // for public keys and hashes.
  ossl_lib_ctx_st* programs() const { return programs_.get(); }

  // default_socket is what the configuration names for URIs without a socket; empty: nothing.
  const std::string& default_socket() const { return default_socket_; }

  // has_ml_dsa tells whether the program's OpenSSL knows ML-DSA (3.5 and later); version is its own.
  bool has_ml_dsa() const { return has_ml_dsa_; }
  const std::string& version() const { return version_; }

 private:
  void read_parameters(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions);

  ErrorQueue errors_;
  SessionPools pools_;
  std::unique_ptr<ossl_lib_ctx_st, LibraryContextRelease> programs_;
  std::string default_socket_;
  std::string version_;
  bool has_ml_dsa_ = false;
};

// start_provider is provider_init for a program whose processes `process_number` tells apart.
int start_provider(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions, const OSSL_DISPATCH** functions,
                   void** provider_context, ProcessNumber process_number);

}  // namespace wvds::ossl_provider
