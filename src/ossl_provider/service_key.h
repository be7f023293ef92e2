#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "ossl_provider/key_types.h"
#include "ossl_provider/key_uri.h"
#include "ossl_provider/sessions.h"

namespace wvds::ossl_provider {

// Demand is what a caller requires of the service.
enum class Demand : uint8_t { kNothing, kFips };

// ServiceKey is a version of a key in the service: its public part, and signing with it. Immutable and thread-safe.
class ServiceKey {
 public:
  // load asks the service for the newest version. kWrongKeyType for a key that can't sign whatever its usages; else
  // what the service says. Blocks. `pools` must outlive the key.
  static Result<std::shared_ptr<const ServiceKey>> load(SessionPools& pools, KeyUri uri);

  const KeyType& type() const { return *type_; }
  const Octets& public_key() const { return public_key_; }  // raw, as the service has it
  std::string name() const;                                 // in messages

  // may_sign is kWrongKeyUsage when the key was not made to sign.
  Result<> may_sign() const;

  // meets is kUnsupported when FIPS is demanded, and the service did not serve the key so when it was loaded.
  Result<> meets(Demand demand) const;

  // sign_message signs with ML-DSA (FIPS 204, algorithm 2); `flags` are those of wvds_mldsa_sign. sign_digest signs a
  // digest with ECDSA. Either asks the service afterwards whether this version is still the one that signs, and whether
  // the demand is met: else there is no signature, and kWrongKeyUsage or kUnsupported. Blocks.
  Result<Octets> sign_message(OctetsView message, OctetsView context, uint32_t flags, Demand demand) const;
  Result<Octets> sign_digest(OctetsView digest, wvds_hash hash, Demand demand) const;

 private:
  ServiceKey(SessionPools& pools, KeyUri uri) : pools_(pools), uri_(std::move(uri)) {}

  using Call = std::function<wvds_status(wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out)>;

  Result<> read(wvds_session* session);
  Result<wvds_key_details> details(wvds_session* session) const;
  Result<> still(const wvds_key_details& now, Demand demand) const;
  Result<Octets> sign(const Call& call, Demand demand) const;
  std::unexpected<Error> failure(wvds_status status, const char* doing) const;

  SessionPools& pools_;
  const KeyUri uri_;
  const KeyType* type_ = nullptr;
  Octets public_key_;
  uint32_t version_ = 0;
  uint32_t usages_ = 0;
  bool inside_fips_ = false;
};

}  // namespace wvds::ossl_provider
