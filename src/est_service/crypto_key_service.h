#pragma once

#include <memory>

#include "crypto/library.h"
#include "est_service/key_service.h"
#include "wvds_crypto.h"

namespace wvds::est_service {

// CryptoKeyService reaches crypto_service through the client library, and again after crypto_service was restarted.
class CryptoKeyService : public KeyService {
 public:
  // `address` is where crypto_service listens. Nothing is reached before the first call. ossl_provider must have been
  // added to the library's context.
  CryptoKeyService(const crypto::Library& library, std::string address);

  est::Outcome<uint32_t> make_key(Algorithm algorithm, const std::string& label) override;
  est::Outcome<uint32_t> import_key(Algorithm algorithm, Bytes pkcs8, const std::string& label) override;
  est::Outcome<crypto::KeyHandle> open_key(uint32_t id) override;
  est::Outcome<crypto::KeyHandle> public_key(Algorithm algorithm, uint32_t id) override;
  est::Outcome<> remove_key(uint32_t id) override;
  est::Outcome<std::vector<OwnKey>> own_keys() override;

 private:
  struct SessionEnd {
    void operator()(wvds_session* session) const { wvds_disconnect(session); }
  };

  template <class Call>
  est::Outcome<> ask(const std::string& what, Call call);
  wvds_status reach();

  const crypto::Library& library_;
  const std::string address_;
  std::unique_ptr<wvds_session, SessionEnd> session_;
};

}  // namespace wvds::est_service
