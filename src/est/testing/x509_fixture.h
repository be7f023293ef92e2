#pragma once

#include <gtest/gtest.h>

#include <string>

#include "crypto/testing/library_fixture.h"
#include "est/testing/certificate_factory.h"

// What the tests of est's X.509 half share: both modes, a time, and readable kinds of failures.
namespace wvds::est {

inline void PrintTo(FailureKind kind, std::ostream* out) { *out << failure_name(kind); }

inline constexpr int64_t kDay = 24 * 60 * 60;
inline constexpr int64_t kYear = 365 * kDay;
inline constexpr int64_t kNow = 1800000000;  // 2027-01-15 08:00:00 UTC
inline constexpr factory::Validity kCaYears{kNow - kYear, kNow + 10 * kYear};
inline constexpr factory::Validity kThisYear{kNow - kDay, kNow + kYear};

using crypto::FipsMode;
using crypto::mode_name;
using X509Test = crypto::LibraryTest;

inline const std::vector<const char*>& signing_algorithms() {
  static const std::vector<const char*> kAll{"ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "P-256", "P-384"};
  return kAll;
}

// expect_failure says what came instead where an outcome is not the failure that it should be.
template <class T>
void expect_failure(const Outcome<T>& outcome, FailureKind kind, const std::string& part_of_detail = "") {
  ASSERT_FALSE(outcome.has_value()) << "expected " << failure_name(kind);
  EXPECT_EQ(outcome.error().kind, kind) << outcome.error().detail;
  EXPECT_NE(outcome.error().detail.find(part_of_detail), std::string::npos) << outcome.error().detail;
}

}  // namespace wvds::est
