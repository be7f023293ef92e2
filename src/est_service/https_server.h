#pragma once

#include <chrono>

#include "est/authentication.h"
#include "est/response.h"
#include "est/url.h"
#include "est_service/byte_stream.h"
#include "est_service/server.h"
#include "est_service/tls_stream.h"

namespace wvds::est_service {

struct HttpsSettings {
  const crypto::Library& library;
  Dialer& dialer;
  est::ServerUrl url;
  bool tls12_allowed = false;
  std::chrono::seconds timeout{60};                         // of one exchange, with all that it takes
  std::string username{};                                   // empty: none
  std::function<Result<crypto::LockedBytes>()> password{};  // read anew each time: it may be changed without a restart
};

// HttpsServer is an EST server that is reached by HTTP over TLS (RFC 7030, section 3).
class HttpsServer : public Server {
 public:
  explicit HttpsServer(HttpsSettings settings);
  ~HttpsServer() override;

  est::Outcome<WipedBuffer> ca_certificates(const Access& access) override;
  est::Outcome<std::optional<WipedBuffer>> csr_attributes(const Access& access) override;
  est::Outcome<EnrollAnswer> enroll(const Access& access, est::Operation operation,
                                    const MakeRequest& make_request) override;
  est::Outcome<WipedBuffer> renewal_info(const Access& access, const std::string& certificate_id) override;

 private:
  class Connection;
  class Exchange;

  est::Outcome<est::Judgement> ask(const Access& access, est::Operation operation, const MakeRequest* make_request,
                                   const std::string& certificate_id = {});
  est::Outcome<WipedBuffer> ask_for_body(const Access& access, est::Operation operation,
                                         const std::string& certificate_id = {});

  const HttpsSettings settings_;
};

}  // namespace wvds::est_service
