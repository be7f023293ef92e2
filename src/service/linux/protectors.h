#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/store_section.h"
#include "keystore/hsm/session.h"
#include "keystore/protector.h"

// What the service and the tool's store commands make of the configuration's protectors.
namespace wvds::service {

// open_token_session starts the helper process of a token (keystore/hsm/linux/helper_process.h): before the sandbox
// closes, in a program whose main() begins with run_as_helper. That process can't reach `hidden`. The token itself is
// opened by its first use.
// kInvalidArgument for a token's name that can't be one.
Result<std::shared_ptr<keystore::hsm::TokenSession>> open_token_session(const config::HsmProtector& settings,
                                                                        std::unique_ptr<keystore::hsm::PinSource> pin,
                                                                        const std::vector<std::string>& hidden = {});

// make_protector gives the protector of `kind`, whose section must be in `store` (kInvalidArgument otherwise). Nothing
// is opened yet; what can't be had is told by its create and unlock. A token's process can't reach the store, the
// secrets of other protectors and `hidden`.
Result<std::unique_ptr<keystore::Protector>> make_protector(const config::Store& store, config::ProtectorKind kind,
                                                            const std::vector<std::string>& hidden = {});

}  // namespace wvds::service
