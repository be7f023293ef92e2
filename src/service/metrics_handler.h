#pragma once

#include "protocol/metrics_messages.h"
#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_metrics(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

// current_metrics is what METRICS answers. Any thread; looks at every key.
protocol::MetricsAnswer current_metrics(const ServiceState& state);

}  // namespace wvds::service
