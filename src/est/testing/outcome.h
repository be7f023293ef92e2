#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "base/wiped.h"
#include "est/failure.h"

// How tests look at an Outcome.
namespace wvds::est {

inline void PrintTo(FailureKind kind, std::ostream* out) { *out << "FailureKind " << static_cast<int>(kind); }

template <class T>
std::string detail_of(const Outcome<T>& outcome) {
  return outcome ? "no failure" : outcome.error().detail;
}

// fails_as: the outcome is that failure, and its detail holds `part`.
template <class T>
testing::AssertionResult fails_as(const Outcome<T>& outcome, FailureKind kind, std::string_view part = {}) {
  if (outcome) return testing::AssertionFailure() << "no failure";
  if (outcome.error().kind != kind || !outcome.error().detail.contains(part)) {
    return testing::AssertionFailure() << "kind " << static_cast<int>(outcome.error().kind) << ": "
                                       << outcome.error().detail;
  }
  return testing::AssertionSuccess();
}

inline std::string to_text(Bytes bytes) { return std::string(text_of(bytes)); }

}  // namespace wvds::est
