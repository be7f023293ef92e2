// main() of test programs that start a helper: the helper is this program again.
#include <gtest/gtest.h>

#include "keystore/hsm/linux/helper_main.h"

int main(int argc, char** argv) {
  if (const auto code = wvds::keystore::hsm::run_as_helper(argc, argv)) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
