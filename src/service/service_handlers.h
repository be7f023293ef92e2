#pragma once

#include "protocol/service_messages.h"
#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_random(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_ping(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_status(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

protocol::FipsState wire_state(crypto::FipsState state);

// current_status is what STATUS answers.
protocol::StatusAnswer current_status(const ServiceState& state);

// service_warnings are the sentences of STATUS and of the log at start: what an operator should know and perhaps
// change.
std::vector<std::string> service_warnings(const ServiceState& state);

}  // namespace wvds::service
