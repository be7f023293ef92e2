#include <algorithm>

#include "tools/wvds/man/prose.h"

namespace wvds::tool {

const Prose* tool_prose(const std::string& path) {
  static const std::vector<Prose> all = [] {
    std::vector<Prose> pages = service_command_prose();
    for (std::vector<Prose> more :
         {key_command_prose(), data_command_prose(), store_command_prose(), est_command_prose()}) {
      std::ranges::move(more, std::back_inserter(pages));
    }
    return pages;
  }();
  const auto found = std::ranges::find(all, path, &Prose::path);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace wvds::tool
