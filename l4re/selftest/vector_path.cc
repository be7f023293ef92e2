#include <algorithm>

#include "support/vectors.h"

namespace wvds::test {

// Boot modules have no folders: vectors.sh gives them these names.
std::string vector_path(const std::string& file) {
  std::string flat = file.substr(0, file.rfind('.')) + ".vectors.json";
  std::ranges::replace(flat, '/', '.');
  return "/rom/" + flat;
}

}  // namespace wvds::test
