#pragma once

#include <functional>
#include <memory>

#include "keystore/hsm/session.h"

// Changing a token's PIN and the file that holds it, so that an interruption at any instant leaves both findable: the
// new PIN is durable beside the file before the token is told, and takes the file's place afterwards.
namespace wvds::keystore::hsm {

// OpenSession gives a session of the token that logs in with that PIN.
using OpenSession = std::function<Result<std::shared_ptr<TokenSession>>(std::unique_ptr<PinSource>)>;

// change_pin_file makes `new_pin` the token's PIN and the file's content. kInvalidArgument when a change was
// interrupted before: that one has to be finished first. Where the token refuses the new PIN everything is as before.
Result<> change_pin_file(const OpenSession& open, const FileName& file, Bytes new_pin);

// finish_pin_change finishes a change that was interrupted: it finds out which of the two PINs the token has, by one
// trial of each at most. kInvalidArgument when none was interrupted.
Result<> finish_pin_change(const OpenSession& open, const FileName& file);

}  // namespace wvds::keystore::hsm
