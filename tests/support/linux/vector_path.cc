#include "support/vectors.h"

namespace wvds::test {

std::string vector_path(const std::string& file) { return std::string(WVDS_VECTORS_DIR) + "/" + file; }

}  // namespace wvds::test
