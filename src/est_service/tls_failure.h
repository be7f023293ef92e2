#pragma once

#include <openssl/types.h>

#include "est/failure.h"

namespace wvds::est_service {

// TlsSides says who the two ends are, for the sentence.
struct TlsSides {
  const char* host;
  bool client_authenticates;
};

// tls_failure tells in words why the handshake or a read of `ssl` failed, from its verdict on the server's certificate,
// the alert that the server sent, or the library's error queue, which is empty afterwards.
est::Failure tls_failure(SSL* ssl, const TlsSides& sides);

}  // namespace wvds::est_service
