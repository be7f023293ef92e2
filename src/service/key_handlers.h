#pragma once

#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_key_generate(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_import(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_public(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_list(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_info(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_rotate(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_retire(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_key_delete(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

}  // namespace wvds::service
