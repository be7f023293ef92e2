#pragma once

#include <cstdlib>
#include <iostream>
#include <memory>

#include "crypto/library.h"

namespace wvds::keystore::testing {

// library is the one of this test program: with the FIPS provider where it was built for that.
inline const crypto::Library& library() {
#ifdef WVDS_TEST_WITH_FIPS
  constexpr auto kMode = crypto::FipsMode::kRequired;
#else
  constexpr auto kMode = crypto::FipsMode::kOff;
#endif
  static const std::unique_ptr<crypto::Library> loaded = [] {
    crypto::LibraryConfig config;
    config.fips = kMode;
    auto made = crypto::Library::load(config);
    if (!made) {
      std::cerr << made.error().detail << '\n';
      std::abort();
    }
    return std::move(*made);
  }();
  return *loaded;
}

}  // namespace wvds::keystore::testing
