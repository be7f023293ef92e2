#pragma once

#include <openssl/core.h>
#include <openssl/params.h>

#include <string>

#include "ossl_provider/delegate.h"
#include "ossl_provider/key.h"

// What the signature algorithms have in common.
namespace wvds::ossl_provider {

// SignatureBase is the part that every context of a signature operation has.
struct SignatureBase {
  ProviderContext& provider;
  Demand demand;
  std::string properties;  // for what the program's own providers do
  SharedKey key{};

  Own own() const { return {provider.programs(), properties}; }
  OctetsView public_key() const { return key->public_key; }
};

// use_key takes the key that OpenSSL passes to an init function (null: the one from before). `to_sign`: it must be a
// private key of the service, made to sign, that meets the demand.
Result<> use_key(SignatureBase& base, const void* keydata, bool to_sign);

// Room is where OpenSSL wants a signature.
struct Room {
  unsigned char* out;  // null: only the size is asked for
  size_t* out_len;
  size_t max_out;
};

// put_signature writes what `sign`, a callable that returns Result<Octets>, makes; or the most that it could be.
template <class Sign>
Result<> put_signature(const SignatureBase& base, const Room& room, Sign&& sign) {
  const size_t most = base.key->type->signature_size;
  if (room.out == nullptr) {
    *room.out_len = most;
    return {};
  }
  if (room.max_out < most) {
    return fail(Status::kBufferTooSmall, "a signature of this key takes up to " + std::to_string(most) +
                                             " bytes, the program's buffer has " + std::to_string(room.max_out));
  }
  WVDS_ASSIGN(signature, sign());
  std::copy(signature.begin(), signature.end(), room.out);
  *room.out_len = signature.size();
  return {};
}

inline OctetsView view(const unsigned char* data, size_t size) { return {data, size}; }

// verdict makes of a verification what OpenSSL's functions return: 1, or 0 without an error in the queue where the
// signature is simply not valid.
template <class Body>
int verdict(const ErrorQueue& errors, Body&& body) noexcept {
  bool valid = false;
  const int done = guard(errors, "verify", [&]() -> Result<> {
    Result<> answer = body();
    valid = answer.has_value();
    if (!valid && answer.error().status == Status::kSignatureInvalid) return {};
    return answer;
  });
  return done == 1 && valid ? 1 : 0;
}

// SignatureFunctions are what OpenSSL calls for one signature algorithm. Context is its SignatureBase, with
//   Result<Context> copy() const;
//   void begin();                                  an operation begins: what was gathered before is forgotten
//   Result<> take_params(const OSSL_PARAM*);
//   Result<> update(OctetsView);                   gathers a message in pieces
//   Result<Octets> finish();                       what is to be signed of it
//   Result<Octets> sign(OctetsView) const;
//   Result<> verify(OctetsView signature, OctetsView) const;
template <class Context>
struct SignatureFunctions {
  static Context& of(void* context) { return *static_cast<Context*>(context); }

  template <Demand demand>
  static void* new_context(void* provider_context, const char* properties) {
    auto& provider = *static_cast<ProviderContext*>(provider_context);
    std::unique_ptr<Context> context;
    guard(provider.errors(), "newctx", [&]() -> Result<> {
      context.reset(new Context{{provider, demand, own_properties(properties, demand == Demand::kFips)}});
      return {};
    });
    return context.release();
  }

  static void free_context(void* context) { delete static_cast<Context*>(context); }

  static void* duplicate(void* context) {
    std::unique_ptr<Context> copy;
    guard(of(context).provider.errors(), "dupctx", [&]() -> Result<> {
      WVDS_ASSIGN(copied, of(context).copy());
      copy = std::make_unique<Context>(std::move(copied));
      return {};
    });
    return copy.release();
  }

  static int set_params(void* context, const OSSL_PARAM params[]) {
    return guard(of(context).provider.errors(), "set_ctx_params", [&] { return of(context).take_params(params); });
  }

  template <bool to_sign>
  static int start(void* context, void* keydata, const OSSL_PARAM params[]) {
    return guard(of(context).provider.errors(), "init", [&]() -> Result<> {
      WVDS_TRY(use_key(of(context), keydata, to_sign));
      of(context).begin();
      return of(context).take_params(params);
    });
  }

  static int update(void* context, const unsigned char* data, size_t size) {
    return guard(of(context).provider.errors(), "update", [&] { return of(context).update(view(data, size)); });
  }

  static int sign(void* context, unsigned char* out, size_t* out_len, size_t max_out, const unsigned char* data,
                  size_t size) {
    const Context& signer = of(context);
    return guard(signer.provider.errors(), "sign", [&] {
      return put_signature(signer, {out, out_len, max_out}, [&] { return signer.sign(view(data, size)); });
    });
  }

  static int finish_signing(void* context, unsigned char* out, size_t* out_len, size_t max_out) {
    Context& signer = of(context);
    return guard(signer.provider.errors(), "sign", [&] {
      return put_signature(signer, {out, out_len, max_out}, [&]() -> Result<Octets> {
        WVDS_ASSIGN(gathered, signer.finish());
        return signer.sign(gathered);
      });
    });
  }

  static int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* data,
                    size_t size) {
    const Context& verifier = of(context);
    return verdict(verifier.provider.errors(),
                   [&] { return verifier.verify(view(signature, signature_len), view(data, size)); });
  }

  static int finish_verifying(void* context, const unsigned char* signature, size_t signature_len) {
    Context& verifier = of(context);
    return verdict(verifier.provider.errors(), [&]() -> Result<> {
      WVDS_ASSIGN(gathered, verifier.finish());
      return verifier.verify(view(signature, signature_len), gathered);
    });
  }
};

}  // namespace wvds::ossl_provider
