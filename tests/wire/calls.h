#pragma once

#include "wvds_crypto.h"

// What the capture of the wire holds: a client's calls, one after the other, every operation among them. The calls
// depend on nothing but the answers, so that the same answers make the library write the same requests.
namespace wvds::wire {

// call_crypto_service and call_est_service expect of each call what the service promises, in the running test.
void call_crypto_service(wvds_session* session);
void call_est_service(wvds_session* session);

}  // namespace wvds::wire
