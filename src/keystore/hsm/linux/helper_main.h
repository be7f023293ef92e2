#pragma once

#include <optional>

namespace wvds::keystore::hsm {

// run_as_helper belongs first into main(): where this process was started to be a helper, it does that work and returns
// the exit code; otherwise nothing.
std::optional<int> run_as_helper(int argc, char** argv);

}  // namespace wvds::keystore::hsm
