#include "config/linux/system_users.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <vector>

namespace wvds::config {
namespace {

constexpr size_t kFirstBuffer = 4096;
constexpr size_t kLargestBuffer = 1 << 20;  // a group with very many members

// look_up calls `ask`, one of the two C functions, with a buffer that grows as long as it is too small.
template <class Entry, class Ask>
const Entry* look_up(const std::string& name, Entry& entry, std::vector<char>& buffer, Ask ask) {
  for (size_t size = kFirstBuffer; size <= kLargestBuffer; size *= 4) {
    buffer.resize(size);
    Entry* found = nullptr;
    if (ask(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != ERANGE) return found;
  }
  return nullptr;
}

}  // namespace

std::optional<uint32_t> SystemUsers::user_id(const std::string& name) const {
  passwd entry{};
  std::vector<char> buffer;
  const passwd* found = look_up(name, entry, buffer, getpwnam_r);
  return found == nullptr ? std::nullopt : std::optional<uint32_t>(found->pw_uid);
}

std::optional<uint32_t> SystemUsers::group_id(const std::string& name) const {
  group entry{};
  std::vector<char> buffer;
  const group* found = look_up(name, entry, buffer, getgrnam_r);
  return found == nullptr ? std::nullopt : std::optional<uint32_t>(found->gr_gid);
}

}  // namespace wvds::config
