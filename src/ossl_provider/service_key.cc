#include "ossl_provider/service_key.h"

#include "ossl_provider/errors.h"

namespace wvds::ossl_provider {

Result<std::shared_ptr<const ServiceKey>> ServiceKey::load(SessionPools& pools, KeyUri uri) {
  std::shared_ptr<ServiceKey> key(new ServiceKey(pools, std::move(uri)));
  WVDS_TRY(pools.of(key->uri_.socket).with([&](wvds_session* session) { return key->read(session); }));
  return key;
}

std::string ServiceKey::name() const {
  return "key " + std::to_string(uri_.key_id) + " of " + pools_.of(uri_.socket).place();
}

std::unexpected<Error> ServiceKey::failure(wvds_status status, const char* doing) const {
  return service_failure(status, name() + " (" + doing + ")");
}

Result<wvds_key_details> ServiceKey::details(wvds_session* session) const {
  wvds_key_details details{};
  const wvds_status status = wvds_key_info(session, &details, uri_.key_id);
  if (status != WVDS_SUCCESS) return failure(status, "operation key-info");
  if (details.num_versions == 0) return failure(WVDS_PROTOCOL_ERROR, "operation key-info");
  return details;
}

Result<> ServiceKey::read(wvds_session* session) {
  WVDS_ASSIGN(now, details(session));
  type_ = key_type(now.algorithm);
  if (type_ == nullptr) {
    const char* algorithm = wvds_algorithm_name(now.algorithm);
    return fail(Status::kWrongKeyType, name() + " is for " + (algorithm != nullptr ? algorithm : "another algorithm") +
                                           "; OpenSSL's programs can use ML-DSA and ECDSA keys");
  }
  version_ = now.versions[0].number;
  usages_ = now.usages;
  inside_fips_ = now.is_inside_fips == 1;
  public_key_.assign(type_->public_key_size, 0);
  size_t length = 0;
  const wvds_status status =
      wvds_key_public(session, public_key_.data(), &length, public_key_.size(), uri_.key_id, version_);
  if (status != WVDS_SUCCESS) return failure(status, "operation key-public");
  if (length != public_key_.size()) return failure(WVDS_PROTOCOL_ERROR, "operation key-public");
  return {};
}

Result<> ServiceKey::may_sign() const {
  if ((usages_ & (WVDS_USAGE_SIGN | WVDS_USAGE_TLS_AND_CSR)) != 0) return {};
  return failure(WVDS_WRONG_KEY_USAGE, "its usages are neither sign nor tls-and-csr");
}

Result<> ServiceKey::meets(Demand demand) const {
  if (demand != Demand::kFips || inside_fips_) return {};
  return fail(Status::kUnsupported, name() +
                                        " is not served by OpenSSL's FIPS module there, and this program demands "
                                        "FIPS (property fips=yes): run the service with \"fips\" \"required\" and "
                                        "no engine for the algorithm, or let the program do without FIPS");
}

Result<> ServiceKey::still(const wvds_key_details& now, Demand demand) const {
  if (now.versions[0].number != version_) {
    return fail(Status::kWrongKeyUsage, name() +
                                            " was rotated after it was loaded, and signs with another private key "
                                            "now: load it again, with a certificate for its new public key");
  }
  if (demand == Demand::kFips && now.is_inside_fips != 1) {
    return fail(Status::kUnsupported, name() +
                                          " is no longer served by OpenSSL's FIPS module there, and this program "
                                          "demands FIPS (property fips=yes)");
  }
  return {};
}

// What is asked after signing holds for the signature: a version that is still the newest was so all the time.
Result<Octets> ServiceKey::sign(const Call& call, Demand demand) const {
  WVDS_TRY(may_sign());
  Octets signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  size_t length = 0;
  WVDS_TRY(pools_.of(uri_.socket).with([&](wvds_session* session) -> Result<> {
    const wvds_status status = call(session, signature.data(), &length, signature.size());
    if (status != WVDS_SUCCESS)
      return failure(status, type_->is_ec() ? "operation ecdsa-sign" : "operation mldsa-sign");
    WVDS_ASSIGN(now, details(session));
    return still(now, demand);
  }));
  if (length > type_->signature_size) return failure(WVDS_PROTOCOL_ERROR, "signature");
  signature.resize(length);
  return signature;
}

Result<Octets> ServiceKey::sign_message(OctetsView message, OctetsView context, uint32_t flags, Demand demand) const {
  return sign(
      [&](wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out) {
        return wvds_mldsa_sign(session, out, out_len, max_out, uri_.key_id, message.data(), message.size(),
                               context.data(), context.size(), flags);
      },
      demand);
}

Result<Octets> ServiceKey::sign_digest(OctetsView digest, wvds_hash hash, Demand demand) const {
  return sign(
      [&](wvds_session* session, uint8_t* out, size_t* out_len, size_t max_out) {
        return wvds_ecdsa_sign(session, out, out_len, max_out, uri_.key_id, digest.data(), digest.size(), hash,
                               WVDS_ECDSA_DIGEST);
      },
      demand);
}

}  // namespace wvds::ossl_provider
