#include "platform/file_name.h"

namespace wvds::platform {

FileName file_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {open_disk("."), std::string(path)};
  return {open_disk(slash == 0 ? "/" : path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

}  // namespace wvds::platform
