#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "base/bytes.h"

// Who else can reach a file: owner, mode bits and POSIX access control lists.
namespace wvds::platform {

// others_who_can_write says who, besides `user` and the administrator, owns or can write what `fd` is; nothing when
// nobody. others_who_can_read the same, for reading or writing.
std::optional<std::string> others_who_can_write(int fd, const struct stat& facts, uint32_t user = ::geteuid());
std::optional<std::string> others_who_can_read(int fd, const struct stat& facts, uint32_t user = ::geteuid());

// grants_of_acl reads the value of system.posix_acl_access (linux/posix_acl_xattr.h). Of a file with such a list the
// group bits of the mode are only the list's mask, so that the list has to be asked: systemd hands credentials to a
// service in that way. Returns who is granted a bit of `wanted` (4 read, 2 write) besides `user` and root.
std::optional<std::string> grants_of_acl(Bytes list, uint16_t wanted, uint32_t user);

}  // namespace wvds::platform
