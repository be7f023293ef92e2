// include/wvds_crypto.h as a C++17 program sees it, linked to the shared library, and compared with what C sees.

#include <gtest/gtest.h>

#include "client/header_c11.h"
#include "wvds_crypto.h"

static_assert(__cplusplus < 202002L, "this file shows that C++17 is enough");

namespace {

TEST(Header, HasOneLayoutInCAndCpp) {
  const header_sizes& c = header_sizes_in_c;
  EXPECT_EQ(c.sealed, 33u);
  EXPECT_EQ(c.signature, 3309u);
  EXPECT_EQ(c.ciphertext, 1088u);
  EXPECT_EQ(c.status, sizeof(wvds_status));
  EXPECT_EQ(c.public_key, sizeof(wvds_public_key));
  EXPECT_EQ(c.derivation, sizeof(wvds_derivation));
  EXPECT_EQ(c.key_template, sizeof(wvds_key_template));
  EXPECT_EQ(c.key_entry, sizeof(wvds_key_entry));
  EXPECT_EQ(c.key_version, sizeof(wvds_key_version));
  EXPECT_EQ(c.key_details, sizeof(wvds_key_details));
  EXPECT_EQ(c.service_state, sizeof(wvds_service_state));
  EXPECT_EQ(c.capability_list, sizeof(wvds_capability_list));
  EXPECT_EQ(c.operation_metrics, sizeof(wvds_operation_metrics));
  EXPECT_EQ(c.key_use_metrics, sizeof(wvds_key_use_metrics));
  EXPECT_EQ(c.metrics, sizeof(wvds_metrics));
  EXPECT_EQ(c.stream_io, sizeof(wvds_stream_io));
  EXPECT_EQ(c.est_failure, sizeof(wvds_est_failure));
  EXPECT_EQ(c.est_certificate_state, sizeof(wvds_est_certificate_state));
  EXPECT_EQ(c.est_state, sizeof(wvds_est_state));
  EXPECT_EQ(c.est_task, sizeof(wvds_est_task));
  EXPECT_EQ(c.est_event, sizeof(wvds_est_event));
}

// These sizes are part of the library's binary interface: when one changes, so does the library's major version.
TEST(Header, KeepsTheLayoutOfItsMajorVersion) {
  if (sizeof(void*) != 8) GTEST_SKIP() << "the sizes are those of 64-bit systems";
  EXPECT_EQ(sizeof(wvds_status), 4u);
  EXPECT_EQ(sizeof(wvds_public_key), 24u);
  EXPECT_EQ(sizeof(wvds_derivation), 24u);
  EXPECT_EQ(sizeof(wvds_key_template), 64u);
  EXPECT_EQ(sizeof(wvds_key_entry), 88u);
  EXPECT_EQ(sizeof(wvds_key_version), 32u);
  EXPECT_EQ(sizeof(wvds_key_details), 416u);
  EXPECT_EQ(sizeof(wvds_service_state), 4632u);
  EXPECT_EQ(sizeof(wvds_capability_list), 5880u);
  EXPECT_EQ(sizeof(wvds_operation_metrics), 464u);
  EXPECT_EQ(sizeof(wvds_key_use_metrics), 24u);
  EXPECT_EQ(sizeof(wvds_metrics), 22720u);
  EXPECT_EQ(sizeof(wvds_stream_io), 24u);
  EXPECT_EQ(sizeof(wvds_est_failure), 816u);
  EXPECT_EQ(sizeof(wvds_est_certificate_state), 1224u);
  EXPECT_EQ(sizeof(wvds_est_state), 20464u);
  EXPECT_EQ(sizeof(wvds_est_task), 280u);
  EXPECT_EQ(sizeof(wvds_est_event), 24u);
}

TEST(Header, HasAnExampleThatCompilesAndFailsCleanlyWithoutAService) {
  EXPECT_EQ(run_header_example("/nonexistent/of/the/test/crypto.sock"), WVDS_CONNECT_FAILED);
}

TEST(Header, AsksCapabilitiesInline) {
  const wvds_capability_list nothing{};
  EXPECT_EQ(offers_nothing(&nothing), 1);
}

TEST(Header, BuildsPublicKeysInline) {
  const wvds_public_key by_id = wvds_public_key_by_id(7);
  EXPECT_EQ(by_id.key_id, 7u);
  EXPECT_EQ(by_id.algorithm, 0u);
  EXPECT_EQ(by_id.len, 0u);
  const uint8_t bytes[3] = {};
  const wvds_public_key raw = wvds_public_key_raw(WVDS_MLKEM_768, bytes, sizeof bytes);
  EXPECT_EQ(raw.key_id, 0u);
  EXPECT_EQ(raw.bytes, bytes);
  EXPECT_EQ(raw.len, 3u);
}

}  // namespace
