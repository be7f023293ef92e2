#pragma once

#include <string>

#include "ca/authentication.h"
#include "ca/authority.h"
#include "ca/http.h"
#include "ca/request_check.h"
#include "ca/settings.h"

namespace wvds::est_ca {

// Peer is what is known of the client of a connection before it asks for anything.
struct Peer {
  std::string version;      // "TLSv1.3"; empty without TLS
  std::string group;        // of the key exchange
  Certificate certificate;  // verified
  Bytes channel_binding;
};

// Operations answers EST requests (RFC 7030 section 4). Any thread.
class Operations {
 public:
  Operations(Authority& authority, Settings& settings) : authority_(authority), settings_(settings) {}

  // `log` gets what was found out about the request.
  HttpAnswer answer(const HttpRequest& request, const Peer& peer, Json& log);

 private:
  struct Call {
    const HttpRequest& request;
    const Peer& peer;
    Json settings;
    Json answer;
    Json& log;
    std::int64_t now;
  };

  HttpAnswer dispatch(Call& call, const std::string& operation);
  HttpAnswer cacerts(Call& call);
  HttpAnswer csrattrs(Call& call);
  HttpAnswer renewal_info(Call& call);
  HttpAnswer enroll(Call& call, bool again);
  HttpAnswer server_key(Call& call);

  // How the client is known, or empty.
  std::string authenticate(Call& call);
  HttpAnswer unauthorized(Call& call);
  // The request of a POST that nothing speaks against; else `refusal` says with which answer.
  RequestCheck checked_request(Call& call, HttpAnswer& refusal);
  std::string refusal(const Call& call, const RequestCheck& check) const;
  Certificate certify(Call& call, RequestCheck& check, EVP_PKEY* key);
  Bytes certificates_for(Call& call, const Certificate& certificate);

  Authority& authority_;
  Settings& settings_;
  HttpAuthentication authentication_;
};

}  // namespace wvds::est_ca
