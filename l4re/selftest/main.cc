// The self-test: the conformance vectors through the running service, what the isolation promises, and what a call
// costs.
#include <gtest/gtest.h>

#include <cstdio>

#include "l4re/selftest/measure.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::GTEST_FLAG(color) = "no";
  const bool passed = RUN_ALL_TESTS() == 0;
  if (passed) wvds::test::measure();
  std::printf("selftest: %s\n", passed ? "EVERY TEST PASSED" : "FAILED");
  return passed ? 0 : 1;
}
