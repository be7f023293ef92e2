#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "keystore/hsm/helper.h"

// The processes in which a vendor's PKCS#11 module runs. The service starts one *spawner*, which starts *workers* one
// after the other; only a worker loads the module. A worker that crashed or hangs is killed by the spawner, which then
// starts the next one and hands its socket to the service. So the service itself starts a process only once, before its
// sandbox closes, and no number of crashes uses anything up: a pair of processes kept ready would be used up by the
// second crash.
namespace wvds::keystore::hsm {

inline constexpr std::chrono::milliseconds kHelperDeadline = std::chrono::seconds(30);

// start_helper starts the spawner: this program again (/proc/self/exe), whose main() must begin with run_as_helper.
// Each exchange has `deadline` to be answered, each restart as well. The helper ends when the object is destroyed or
// this process ends, however it ends. The module can't reach the files and folders of `hidden` (where the kernel has
// Landlock), nor start programs. kInternalError when no process could be started.
Result<std::unique_ptr<Helper>> start_helper(std::chrono::milliseconds deadline = kHelperDeadline,
                                             const std::vector<std::string>& hidden = {});

}  // namespace wvds::keystore::hsm
