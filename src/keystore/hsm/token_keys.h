#pragma once

#include <memory>

#include "keystore/hsm/session.h"
#include "keystore/token_keys.h"

namespace wvds::keystore::hsm {

// make_token_keys uses the token of `session` by PKCS#11 3.2. A signature is checked with the public key before it is
// handed out.
std::shared_ptr<TokenKeys> make_token_keys(std::shared_ptr<TokenSession> session);

}  // namespace wvds::keystore::hsm
