#include "ossl_provider/signature.h"

namespace wvds::ossl_provider {

Result<> use_key(SignatureBase& base, const void* keydata, bool to_sign) {
  if (keydata != nullptr) base.key = static_cast<const KeyData*>(keydata)->key;
  if (!base.key) return fail(Status::kInvalidArgument, "no key was given");
  if (!to_sign) return {};
  if (!base.key->service) return fail(Status::kInvalidArgument, "a public key can't sign");
  WVDS_TRY(base.key->service->may_sign());
  return base.key->service->meets(base.demand);
}

}  // namespace wvds::ossl_provider
