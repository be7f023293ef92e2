#pragma once

#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_ecdsa_sign(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_ecdsa_verify(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

}  // namespace wvds::service
