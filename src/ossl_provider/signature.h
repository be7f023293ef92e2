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

}  // namespace wvds::ossl_provider
