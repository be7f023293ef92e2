#include "platform/linux/access.h"

#include <sys/xattr.h>

#include <array>

namespace wvds::platform {
namespace {

constexpr uint16_t kRead = 4;
constexpr uint16_t kWrite = 2;

// linux/posix_acl_xattr.h and linux/posix_acl.h
constexpr uint32_t kAclVersion = 2;
enum AclTag : uint16_t {
  kUserObject = 0x01,
  kUser = 0x02,
  kGroupObject = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20
};

struct AclEntry {
  uint16_t tag;
  uint16_t rights;
  uint32_t id;
};

AclEntry next_entry(Reader& reader) {
  const uint16_t tag = reader.u16();
  const uint16_t rights = reader.u16();
  return {tag, rights, reader.u32()};
}

// The mask limits named users and all groups, not the owner and not the others.
uint16_t mask_of(Reader reader) {
  uint16_t mask = kRead | kWrite | 1;
  while (reader.left() > 0) {
    const AclEntry entry = next_entry(reader);
    if (entry.tag == kMask) mask = entry.rights;
  }
  return mask;
}

std::optional<std::string> holder(const AclEntry& entry, uint32_t user) {
  switch (entry.tag) {
    case kUserObject:
    case kMask: return std::nullopt;
    case kUser:
      if (entry.id == user || entry.id == 0) return std::nullopt;
      return "user " + std::to_string(entry.id);
    case kGroupObject: return "its group";
    case kGroup: return "group " + std::to_string(entry.id);
    case kOther: return "everybody";
    default: return "an unknown kind of user";
  }
}

std::optional<std::string> others_with(int fd, const struct stat& facts, uint16_t wanted, uint32_t user) {
  if (facts.st_uid != 0 && facts.st_uid != user) return "its owner, user " + std::to_string(facts.st_uid);
  if ((facts.st_mode & wanted) != 0) return "everybody";
  if ((facts.st_mode & (wanted << 3)) == 0) return std::nullopt;
  std::array<std::byte, 1024> list{};
  const ssize_t size = ::fgetxattr(fd, "system.posix_acl_access", list.data(), list.size());
  if (size <= 0) return "its group";
  return grants_of_acl(std::span(list).first(static_cast<size_t>(size)), wanted, user);
}

}  // namespace

std::optional<std::string> grants_of_acl(Bytes list, uint16_t wanted, uint32_t user) {
  Reader reader(list);
  if (reader.u32() != kAclVersion || reader.left() % 8 != 0) return "an unknown kind of access list";
  const uint16_t mask = mask_of(reader);
  while (reader.left() > 0) {
    const AclEntry entry = next_entry(reader);
    const uint16_t rights = entry.tag == kOther ? entry.rights : entry.rights & mask;
    if ((rights & wanted) == 0) continue;
    if (auto who = holder(entry, user)) return who;
  }
  return std::nullopt;
}

std::optional<std::string> others_who_can_write(int fd, const struct stat& facts, uint32_t user) {
  return others_with(fd, facts, kWrite, user);
}

std::optional<std::string> others_who_can_read(int fd, const struct stat& facts, uint32_t user) {
  return others_with(fd, facts, kRead | kWrite, user);
}

}  // namespace wvds::platform
