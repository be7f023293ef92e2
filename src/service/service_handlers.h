#pragma once

#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_random(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_ping(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_status(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_capabilities(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

// service_warnings are the sentences of STATUS and of the log at start: what an operator should know and perhaps
// change.
std::vector<std::string> service_warnings(const ServiceState& state);

}  // namespace wvds::service
