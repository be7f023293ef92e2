#include <cstdlib>

#include "keystore/hsm/token_uri.h"

// Function: parse_token. Property: what is accepted names a token, within the sizes that tokens have.
using namespace wvds::keystore::hsm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto token = parse_token({reinterpret_cast<const char*>(data), size});
  if (!token) return 0;
  if (token->text().empty() || token->label.size() > 32 || token->serial.size() > 16) std::abort();
  return 0;
}
