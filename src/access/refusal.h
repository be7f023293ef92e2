#pragma once

#include "base/log.h"
#include "base/result.h"
#include "channel/request.h"

// What a refused request means, for crypto_service and est_service.
namespace wvds::access {

// refusal_level is how much it matters in the log.
LogLevel refusal_level(Status status);

// verdict_on tells the channel of a client that does not use the service, whatever it does.
channel::Verdict verdict_on(Status status);

// wire_error: what only a client library says is a defect when the service says it.
Error wire_error(Error error);

}  // namespace wvds::access
