#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace wvds::tool {

// may_access tells whether a process of `user`, in all groups of that user, has the rights `wanted` (4 read, 2 write;
// added up) on what `facts` describe. Access lists are not looked at.
bool may_access(uint32_t user, const struct stat& facts, mode_t wanted);

}  // namespace wvds::tool
