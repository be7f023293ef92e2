// Parses any text as the URI of a key. What was read can be written as a URI that reads the same.

#include <cstdio>
#include <cstdlib>

#include "ossl_provider/key_uri.h"

using namespace wvds::ossl_provider;

namespace {

std::string encoded(const std::string& text) {
  std::string all;
  for (const unsigned char c : text) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02x", c);
    all += hex;
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto uri = parse_key_uri({reinterpret_cast<const char*>(data), size});
  if (!uri) return 0;
  std::string again = "wvds:key=" + std::to_string(uri->key_id);
  if (!uri->socket.empty()) again += ";socket=" + encoded(uri->socket);
  if (again.size() > kMaxUriSize) return 0;
  const auto same = parse_key_uri(again);
  if (!same || same->key_id != uri->key_id || same->socket != uri->socket) std::abort();
  return 0;
}
