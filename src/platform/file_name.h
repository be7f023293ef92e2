#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "platform/disk.h"

namespace wvds::platform {

// FileName is a file by its folder and its name in it.
struct FileName {
  std::unique_ptr<Disk> folder;
  std::string name;
};

// file_name splits a path at its last slash; without one the file is in the working folder.
FileName file_name(std::string_view path);

}  // namespace wvds::platform
