#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/library.h"

namespace wvds {
inline void PrintTo(Algorithm algorithm, std::ostream* out) {
  const AlgorithmInfo* info = algorithm_info(algorithm);
  *out << (info != nullptr ? info->name : "no algorithm");
}
inline void PrintTo(Status status, std::ostream* out) { *out << status_name(status); }
}  // namespace wvds

// What crypto's tests share: the library in FIPS required mode and with the default provider, each loaded once a
// process.
namespace wvds::crypto {

using Octets = std::vector<std::byte>;

// How test names show the parameters
inline void PrintTo(FipsMode mode, std::ostream* out) { *out << (mode == FipsMode::kRequired ? "fips" : "default"); }
inline void PrintTo(NonceMode mode, std::ostream* out) { *out << (mode == NonceMode::kCounter ? "counter" : "random"); }

// load_or_exit ends the test program with the reason: no test makes sense without a library.
inline std::unique_ptr<Library> load_or_exit(FipsMode mode) {
  LibraryConfig config;
  config.fips = mode;
  auto loaded = Library::load(config);
  if (!loaded) {
    std::fprintf(stderr, "the library did not load: %s\n", loaded.error().detail.c_str());
    std::exit(1);
  }
  return std::move(*loaded);
}

// library_in unloads at the end of the process: what a library keeps in the secure heap is out of LeakSanitizer's
// sight.
inline const Library& library_in(FipsMode mode) {
  if (mode == FipsMode::kRequired) {
    static const std::unique_ptr<Library> fips = load_or_exit(FipsMode::kRequired);
    return *fips;
  }
  static const std::unique_ptr<Library> plain = load_or_exit(FipsMode::kOff);
  return *plain;
}

// LibraryTest runs each of its tests in both modes.
class LibraryTest : public testing::TestWithParam<FipsMode> {
 protected:
  const Library& library() const { return library_in(GetParam()); }
};

inline std::string mode_name(const testing::TestParamInfo<FipsMode>& info) {
  return info.param == FipsMode::kRequired ? "Fips" : "Default";
}

#define WVDS_IN_BOTH_MODES(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::Values(FipsMode::kRequired, FipsMode::kOff), mode_name)

inline UntrustedBytes untrusted(const Octets& bytes) { return UntrustedBytes(Bytes(bytes)); }

inline Octets octets(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

inline Octets from_hex(std::string_view hex) {
  Octets out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += kDigits[std::to_integer<size_t>(byte >> 4)];
    hex += kDigits[std::to_integer<size_t>(byte & std::byte{0x0f})];
  }
  return hex;
}

inline Octets pattern(size_t size, unsigned seed = 1) {
  Octets out(size);
  unsigned value = seed;
  for (std::byte& byte : out) byte = static_cast<std::byte>((value = value * 1664525 + 1013904223) >> 24);
  return out;
}

inline bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

inline bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

template <class T>
Status status_of(const Result<T>& result) {
  return result ? Status::kSuccess : result.error().status;
}

template <class T>
std::string why(const Result<T>& result) {
  return result ? "success" : std::string(status_name(result.error().status)) + ": " + result.error().detail;
}

}  // namespace wvds::crypto
