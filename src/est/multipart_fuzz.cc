// Fuzzes split_multipart: the first line of the input is the boundary, the rest the body. Properties: limits hold;
// every part lies within the body, behind the one before, and holds no boundary line.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/wiped.h"
#include "est/multipart.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view boundary = input.substr(0, input.find('\n'));
  const std::string_view body = input.substr(std::min(boundary.size() + 1, input.size()));
  const auto parts = est::split_multipart(as_bytes(body), boundary);
  if (!parts) return 0;
  require(parts->size() <= est::kMaxParts);
  const char* before = body.data();
  for (const est::Part& part : *parts) {
    const std::string_view content = text_of(part.content);
    require(content.data() >= before && content.data() + content.size() <= body.data() + body.size());
    require(("\n" + std::string(content) + "\n").find("\n--" + std::string(boundary) + "\n") == std::string::npos);
    before = content.data() + content.size();
  }
  return 0;
}
