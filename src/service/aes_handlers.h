#pragma once

#include "service/request_context.h"

namespace wvds::service {

Result<size_t> handle_aes_encrypt(RequestContext& context, UntrustedBytes payload, MutableBytes answer);
Result<size_t> handle_aes_decrypt(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

}  // namespace wvds::service
