#include "tools/wvds/doctor/linux/user_access.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <vector>

namespace wvds::tool {
namespace {

// groups_of gives all groups that a process of this user is in.
std::vector<gid_t> groups_of(uint32_t user) {
  const passwd* entry = ::getpwuid(user);
  if (entry == nullptr) return {};
  int count = 64;
  std::vector<gid_t> groups(static_cast<size_t>(count));
  if (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<size_t>(count));
    ::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count);
  }
  groups.resize(static_cast<size_t>(count));
  return groups;
}

}  // namespace

bool may_access(uint32_t user, const struct stat& facts, mode_t wanted) {
  if (user == 0) return true;
  const auto allows = [&](unsigned shift) { return (facts.st_mode >> shift & wanted) == wanted; };
  if (facts.st_uid == user) return allows(6);
  const auto groups = groups_of(user);
  return std::ranges::find(groups, facts.st_gid) != groups.end() ? allows(3) : allows(0);
}

}  // namespace wvds::tool
