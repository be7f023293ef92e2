#include "protocol/service_messages.h"

#include <gtest/gtest.h>

#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::encoding_of;
using testing::hex;
using testing::status_of;
using testing::untrusted;

StatusAnswer a_status() {
  StatusAnswer status;
  status.fips_mode = FipsMode::kRequired;
  status.fips_state = FipsState::kActive;
  status.locked_memory = true;
  status.place = 1;
  status.epoch = 0x0123456789abcdef;
  status.uptime_ms = 60000;
  status.sessions = 2;
  status.session_limit = 64;
  status.persistent_keys = 5;
  status.memory_keys = 1;
  status.service_version = "0.1.0";
  status.library_version = "lib";
  status.provider = "";
  status.warnings = {"first", "second"};
  return status;
}

constexpr size_t kFirstText = 36;

TEST(RandomRequest, TakesOneTo65536) {
  EXPECT_EQ(status_of<RandomRequest>(hex("00 00 00 00")), Status::kInvalidPayload);
  EXPECT_EQ(status_of<RandomRequest>(hex("01 00 00 00")), Status::kSuccess);
  EXPECT_EQ(status_of<RandomRequest>(hex("00 00 01 00")), Status::kSuccess);
  EXPECT_EQ(status_of<RandomRequest>(hex("01 00 01 00")), Status::kInvalidPayload);
  EXPECT_EQ(status_of<RandomRequest>(hex("FF FF FF FF")), Status::kInvalidPayload);
}

TEST(RandomRequest, HasOneLength) {
  EXPECT_EQ(encoding_of(RandomRequest{16}), hex("10 00 00 00"));
  EXPECT_TRUE(testing::refuses_every_prefix<RandomRequest>(hex("10 00 00 00")));
  EXPECT_TRUE(testing::refuses_one_byte_more<RandomRequest>(hex("10 00 00 00")));
}

TEST(EmptyRequest, IsEmpty) {
  const Buffer one_byte = hex("00");
  EXPECT_TRUE(decode_empty_request({}));
  EXPECT_EQ(decode_empty_request(untrusted(one_byte)).error().status, Status::kInvalidPayload);
}

TEST(StatusAnswer, GivesItsFields) {
  const Buffer payload = encoding_of(a_status());
  const auto status = StatusAnswer::decode(untrusted(payload));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->fips_mode, FipsMode::kRequired);
  EXPECT_EQ(status->fips_state, FipsState::kActive);
  EXPECT_TRUE(status->locked_memory);
  EXPECT_EQ(status->place, 1);
  EXPECT_EQ(status->epoch, 0x0123456789abcdefu);
  EXPECT_EQ(status->uptime_ms, 60000u);
  EXPECT_EQ(status->session_limit, 64u);
  EXPECT_EQ(status->service_version, "0.1.0");
  EXPECT_EQ(status->provider, "");
  EXPECT_EQ(status->warnings, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(encoding_of(*status), encoding_of(a_status()));
}

TEST(StatusAnswer, HasOneLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<StatusAnswer>(encoding_of(a_status())));
  EXPECT_TRUE(testing::refuses_one_byte_more<StatusAnswer>(encoding_of(a_status())));
}

TEST(StatusAnswer, RejectsUnknownStatesAndTextsThatATerminalWouldObey) {
  const Buffer status = encoding_of(a_status());
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, 0, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, 1, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, 2, 2)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, kFirstText + 2, 0x1b)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, status.size() - 1, 0x1b)), Status::kInvalidPayload);
}

TEST(StatusAnswer, RejectsACountOfWarningsThatLies) {
  StatusAnswer plain = a_status();
  plain.warnings.clear();
  const Buffer status = encoding_of(plain);
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, status.size() - 2, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<StatusAnswer>(changed(status, status.size() - 1, 0xff)), Status::kInvalidPayload);
}

TEST(StatusAnswer, IsEncodedWithPrintableTextsOnly) {
  StatusAnswer status = a_status();
  status.warnings = {"line\nbreak \x1b[31m", "Schl\xc3\xbcssel", "half \xc3"};
  status.provider = "a\tb";
  const Buffer payload = encoding_of(status);
  const auto decoded = StatusAnswer::decode(untrusted(payload));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->warnings, (std::vector<std::string>{"line?break ?[31m", "Schl\xc3\xbcssel", "half ?"}));
  EXPECT_EQ(decoded->provider, "a?b");
}

TEST(StatusAnswer, IsNotEncodedWithATextOver65535Bytes) {
  Buffer out(1 << 20);
  StatusAnswer status = a_status();
  status.provider = std::string(65536, 'x');
  EXPECT_EQ(status.encode(out).error().status, Status::kInvalidArgument);
}

}  // namespace
}  // namespace wvds::protocol
