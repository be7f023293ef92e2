#include <gtest/gtest.h>

#include "client/testing/fake_service.h"
#include "protocol/service_messages.h"

namespace wvds::client::testing {
namespace {

using Service = ClientTest;
using protocol::testing::encoding_of;

TEST_F(Service, GivesRandomBytes) {
  service.answers(repeated(0xE6, 16));
  Room room(16);
  EXPECT_EQ(wvds_random(session, room.out(), room.max()), WVDS_SUCCESS);
  EXPECT_EQ(room.out()[15], 0xE6);
  EXPECT_EQ(sent(), hex("10 00 00 00"));
}

TEST_F(Service, GivesNoFewerAndNoMoreRandomBytesThanOneRequestCan) {
  Room room(WVDS_MAX_RANDOM_SIZE + 1);
  EXPECT_EQ(wvds_random(session, room.out(), 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_random(session, room.out(), WVDS_MAX_RANDOM_SIZE + 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_random(session, nullptr, 5), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
  service.answers(repeated(1, WVDS_MAX_RANDOM_SIZE));
  EXPECT_EQ(wvds_random(session, room.out(), WVDS_MAX_RANDOM_SIZE), WVDS_SUCCESS);
}

TEST_F(Service, AnswersAPing) {
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_PING);
  EXPECT_TRUE(sent().empty());
}

protocol::StatusAnswer a_status() {
  protocol::StatusAnswer status;
  status.fips_mode = protocol::FipsMode::kRequired;
  status.fips_state = protocol::FipsState::kActive;
  status.locked_memory = true;
  status.place = WVDS_PLACE_FILE;
  status.epoch = 77;
  status.uptime_ms = 60000;
  status.sessions = 2;
  status.session_limit = 64;
  status.persistent_keys = 5;
  status.memory_keys = 1;
  status.service_version = "0.1.0";
  status.library_version = "lib";
  status.provider = "fips";
  status.warnings = {"first", "second"};
  return status;
}

TEST_F(Service, TellsHowItIs) {
  service.answers(encoding_of(a_status()));
  wvds_service_state state;
  EXPECT_EQ(wvds_status_get(session, &state), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_STATUS);
  EXPECT_EQ(state.fips_mode, static_cast<uint32_t>(WVDS_FIPS_MODE_REQUIRED));
  EXPECT_EQ(state.fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
  EXPECT_EQ(state.memory_is_locked, 1u);
  EXPECT_EQ(state.place, static_cast<uint32_t>(WVDS_PLACE_FILE));
  EXPECT_EQ(state.epoch, 77u);
  EXPECT_EQ(state.uptime_ms, 60000u);
  EXPECT_EQ(state.num_sessions, 2u);
  EXPECT_EQ(state.max_sessions, 64u);
  EXPECT_EQ(state.num_persistent_keys, 5u);
  EXPECT_EQ(state.num_memory_keys, 1u);
  EXPECT_STREQ(state.service_version, "0.1.0");
  EXPECT_STREQ(state.library_version, "lib");
  EXPECT_STREQ(state.provider, "fips");
  EXPECT_EQ(state.num_warnings, 2u);
  EXPECT_STREQ(state.warnings, "first\nsecond");
  EXPECT_EQ(state.reserved[0], 0u);
}

TEST_F(Service, LeavesOutWarningsThatDoNotFit) {
  protocol::StatusAnswer status = a_status();
  const std::string most(sizeof(wvds_service_state::warnings) - 6, 'w');
  status.warnings = {most, "too long", "last", "x"};  // "last" fills what is left, with the line end and the NUL
  service.answers(encoding_of(status));
  wvds_service_state state;
  EXPECT_EQ(wvds_status_get(session, &state), WVDS_SUCCESS);
  EXPECT_EQ(state.num_warnings, 4u);
  EXPECT_EQ(std::string(state.warnings), most + "\nlast");
}

TEST_F(Service, CutsLongTextsBetweenCharacters) {
  protocol::StatusAnswer status = a_status();
  const size_t room = sizeof(wvds_service_state::service_version) - 1;
  status.service_version = std::string(room - 1, 'v') + "\xc3\xbc\xc3\xbc";  // the first umlaut would be halved
  status.provider = std::string(sizeof(wvds_service_state::provider) - 1, 'p');
  service.answers(encoding_of(status));
  wvds_service_state state;
  EXPECT_EQ(wvds_status_get(session, &state), WVDS_SUCCESS);
  EXPECT_EQ(std::string(state.service_version), std::string(room - 1, 'v'));
  EXPECT_EQ(std::string(state.provider), status.provider);
}

TEST_F(Service, TellsWhatItOffers) {
  protocol::CapabilitiesAnswer answer;
  answer.protocol_version = 1;
  answer.fips_state = protocol::FipsState::kUnavailable;
  answer.slots = 8;
  answer.max_request_payload = 65536;
  answer.max_answer_payload = 65564;
  answer.requests_per_second = 1000;
  answer.burst = 100;
  answer.operations = {0x01, 0x50};
  answer.algorithms = {Algorithm::kAes256Gcm};
  service.answers(encoding_of(answer));
  wvds_capability_list list;
  EXPECT_EQ(wvds_capabilities(session, &list), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_CAPABILITIES);
  EXPECT_EQ(list.protocol_version, 1u);
  EXPECT_EQ(list.fips_state, static_cast<uint32_t>(WVDS_FIPS_UNAVAILABLE));
  EXPECT_EQ(list.num_slots, 8u);
  EXPECT_EQ(list.max_request_payload, 65536u);
  EXPECT_EQ(list.max_answer_payload, 65564u);
  EXPECT_EQ(list.requests_per_second, 1000u);
  EXPECT_EQ(list.burst, 100u);
  ASSERT_EQ(list.num_operations, 2u);
  EXPECT_EQ(list.operations[1], WVDS_OP_PING);
  EXPECT_EQ(list.operations[2], 0);
  ASSERT_EQ(list.num_algorithms, 1u);
  EXPECT_EQ(list.algorithms[0], WVDS_AES_256_GCM);
}

TEST_F(Service, NeedsAPlaceForWhatItTells) {
  EXPECT_EQ(wvds_status_get(session, nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_capabilities(session, nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

}  // namespace
}  // namespace wvds::client::testing
