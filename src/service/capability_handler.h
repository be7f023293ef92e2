#pragma once

#include "service/request_context.h"

namespace wvds::service {

// handle_capabilities answers what the service offers to the caller, and what of the caller's limits is used now.
Result<size_t> handle_capabilities(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

}  // namespace wvds::service
