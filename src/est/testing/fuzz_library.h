#pragma once

#include <cstdlib>
#include <memory>

#include "crypto/library.h"

// What est's fuzz targets share: a library, loaded once, and their way to say that a property does not hold.
namespace wvds::est {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline const crypto::Library& fuzz_library() {
  static const std::unique_ptr<crypto::Library> library = [] {
    crypto::LibraryConfig config;
    config.fips = crypto::FipsMode::kOff;
    auto loaded = crypto::Library::load(config);
    require(loaded.has_value());
    return std::move(*loaded);
  }();
  return *library;
}

}  // namespace wvds::est
