#pragma once

#include <string>

#include "base/result.h"

namespace wvds::platform {

// trusted_file follows `path`, an absolute one, to the file that it leads to and returns that file's path without
// links. kStorageError when it is no regular file, or when anybody but root and this user can write or exchange it: the
// file, the folders above it and those above each link must be theirs. Sticky folders, such as /tmp, let nobody
// exchange what is another's. The detail names what can be written, by whom, and the cure.
Result<std::string> trusted_file(const std::string& path);

}  // namespace wvds::platform
