#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wvds::config {

// Users turns the names of users and groups into the numbers that the operating system identifies a client by.
class Users {
 public:
  virtual ~Users() = default;
  virtual std::optional<uint32_t> user_id(const std::string& name) const = 0;
  virtual std::optional<uint32_t> group_id(const std::string& name) const = 0;
};

}  // namespace wvds::config
