#pragma once

#include <memory>
#include <string>

#include "keystore/hsm/session.h"
#include "keystore/protector.h"

// Protector whose secret is an AES-256 key that never leaves a PKCS#11 token. docs/storage-format.md, "Protector hsm",
// has its header.
namespace wvds::keystore::hsm {

// make_hsm_protector uses the token of `session`; create makes the token's key of that label where there is none.
// `session` is shared with whoever else needs the token. Nothing is opened before create or unlock.
std::unique_ptr<Protector> make_hsm_protector(std::shared_ptr<TokenSession> session, std::string key_label);

}  // namespace wvds::keystore::hsm
