#pragma once

#include <mutex>
#include <string>

#include "ca/authority.h"
#include "ca/settings.h"
#include "ca/stream.h"

namespace wvds::est_ca {

// TlsServer holds the server's certificate and how TLS is done. Any thread.
class TlsServer {
 public:
  TlsServer(const Authority& authority, const Settings& settings, std::string folder);

  // Makes a new certificate by settings "server", and writes it with its chain and key into server.pem, for a server in
  // front; an empty folder gets no file.
  void renew_certificate();
  // Applies settings "tls" to the connections to come.
  void configure();
  SslContext context() const;

 private:
  void write_files(const Key& key, const Certificate& certificate, const std::vector<Certificate>& chain) const;

  const Authority& authority_;
  const Settings& settings_;
  const std::string folder_;
  mutable std::mutex mutex_;
  Key key_;
  Certificate certificate_;
  std::vector<Certificate> chain_;
  SslContext context_;
};

}  // namespace wvds::est_ca
