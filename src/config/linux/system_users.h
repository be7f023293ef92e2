#pragma once

#include "config/users.h"

namespace wvds::config {

// SystemUsers asks the machine's user database (getpwnam_r, getgrnam_r). Blocks as long as that does.
class SystemUsers : public Users {
 public:
  std::optional<uint32_t> user_id(const std::string& name) const override;
  std::optional<uint32_t> group_id(const std::string& name) const override;
};

}  // namespace wvds::config
