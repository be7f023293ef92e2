#pragma once

#include <memory>

namespace wvds {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

// Handle owns an object of a C library, which `release` frees.
template <class T, auto release>
using Handle = std::unique_ptr<T, Releaser<release>>;

}  // namespace wvds
