#pragma once

#include <openssl/crypto.h>
#include <sanitizer/lsan_interface.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

namespace wvds::service::testing {

// show_secure_heap lets LeakSanitizer look there: the random generators of every thread keep their cipher contexts in
// it.
inline void show_secure_heap() {
  static bool is_shown = false;
  if (std::exchange(is_shown, true)) return;
  void* const inside = OPENSSL_secure_malloc(32);
  const auto place = reinterpret_cast<uintptr_t>(inside);
  std::ifstream maps("/proc/self/maps");
  uintptr_t begin = 0, end = 0;
  for (std::string line; std::getline(maps, line);) {
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2 && begin <= place && place < end) {
      __lsan_register_root_region(reinterpret_cast<void*>(begin), end - begin);
    }
  }
  OPENSSL_secure_free(inside);
}

}  // namespace wvds::service::testing
