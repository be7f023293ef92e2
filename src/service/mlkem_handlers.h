#pragma once

#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_mlkem_keygen(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_mlkem_encaps(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_mlkem_decaps(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_mlkem_encaps_to_key(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_mlkem_decaps_to_key(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

}  // namespace wvds::service
