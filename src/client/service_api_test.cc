#include <gtest/gtest.h>

#include "client/testing/fake_service.h"
#include "protocol/capability_messages.h"
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

protocol::CapabilitiesAnswer an_offer() {
  protocol::CapabilitiesAnswer answer;
  answer.protocol_version = 1;
  answer.fips_state = protocol::FipsState::kUnavailable;
  answer.slots = 8;
  answer.max_request_payload = 65536;
  answer.max_answer_payload = 65564;
  answer.max_aes_size = 65502;
  answer.max_mldsa_message_size = 58050;
  answer.max_random_size = 65536;
  answer.requests_per_second = 1000;
  answer.burst = 100;
  answer.cooldown_ms = 99;
  answer.nonces = protocol::NonceConstruction::kRandom;
  answer.max_key_versions = 4;
  answer.window_capacity = 1'000'000;
  answer.use_limit = 1ull << 32;
  answer.sessions = {8, 1};
  answer.session_keys = {10, 2};
  answer.volatile_keys = {20, 3};
  answer.persistent_keys = {30, 4};
  answer.keys_per_minute = {40, 5};
  answer.store_bytes = {1ull << 40, 6};
  answer.window_bytes = {1ull << 41, 7};
  answer.operations = {0x01, 0x50};
  answer.algorithms = {{Algorithm::kAes256Gcm, protocol::kAlgorithmRotates, 3, 3, 0x01, 32, 0, 0, 0, "one 1.0"},
                       {Algorithm::kMlKem768, protocol::kAlgorithmInsideFips, 0xe0, 0xa0, 0x0e, 64, 1184, 0, 1088,
                        std::string(WVDS_MAX_PROVIDER_SIZE, 'p')}};
  return answer;
}

bool same(const wvds_quota& quota, uint64_t limit, uint64_t used) { return quota.limit == limit && quota.used == used; }

TEST_F(Service, TellsWhatItOffers) {
  service.answers(encoding_of(an_offer()));
  wvds_capability_list list;
  EXPECT_EQ(wvds_capabilities(session, &list), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_CAPABILITIES);
  EXPECT_EQ(list.protocol_version, 1u);
  EXPECT_EQ(list.fips_state, static_cast<uint32_t>(WVDS_FIPS_UNAVAILABLE));
  EXPECT_EQ(list.num_slots, 8u);
  EXPECT_EQ(list.max_request_payload, 65536u);
  EXPECT_EQ(list.max_answer_payload, 65564u);
  EXPECT_EQ(list.max_aes_size, 65502u);
  EXPECT_EQ(list.max_mldsa_message_size, 58050u);
  EXPECT_EQ(list.max_random_size, 65536u);
  EXPECT_EQ(list.requests_per_second, 1000u);
  EXPECT_EQ(list.burst, 100u);
  EXPECT_EQ(list.cooldown_ms, 99u);
  EXPECT_EQ(list.nonces, static_cast<uint32_t>(WVDS_NONCES_RANDOM));
  EXPECT_EQ(list.max_key_versions, 4u);
  EXPECT_EQ(list.window_capacity, 1'000'000u);
  EXPECT_EQ(list.use_limit, 1ull << 32);
  ASSERT_EQ(list.num_operations, 2u);
  EXPECT_EQ(list.operations[1], WVDS_OP_PING);
  EXPECT_EQ(list.operations[2], 0);
}

TEST_F(Service, TellsTheLimitsOfTheCaller) {
  service.answers(encoding_of(an_offer()));
  wvds_capability_list list;
  EXPECT_EQ(wvds_capabilities(session, &list), WVDS_SUCCESS);
  EXPECT_TRUE(same(list.sessions, 8, 1));
  EXPECT_TRUE(same(list.session_keys, 10, 2));
  EXPECT_TRUE(same(list.volatile_keys, 20, 3));
  EXPECT_TRUE(same(list.persistent_keys, 30, 4));
  EXPECT_TRUE(same(list.keys_per_minute, 40, 5));
  EXPECT_TRUE(same(list.store_bytes, 1ull << 40, 6));
  EXPECT_TRUE(same(list.window_bytes, 1ull << 41, 7));
}

TEST_F(Service, DescribesItsAlgorithms) {
  service.answers(encoding_of(an_offer()));
  wvds_capability_list list;
  EXPECT_EQ(wvds_capabilities(session, &list), WVDS_SUCCESS);
  ASSERT_EQ(list.num_algorithms, 2u);
  const wvds_algorithm_offer& aes = list.algorithms[0];
  EXPECT_EQ(aes.algorithm, static_cast<uint32_t>(WVDS_AES_256_GCM));
  EXPECT_EQ(aes.is_inside_fips, 0u);
  EXPECT_EQ(aes.can_rotate, 1u);
  EXPECT_EQ(aes.import_formats, WVDS_KEY_FORMAT_BIT(WVDS_KEY_FORMAT_RAW));
  EXPECT_STREQ(aes.provider, "one 1.0");
  const wvds_algorithm_offer& kem = list.algorithms[1];
  EXPECT_EQ(kem.is_inside_fips, 1u);
  EXPECT_EQ(kem.can_rotate, 0u);
  EXPECT_EQ(kem.possible_usages, 0xe0u);
  EXPECT_EQ(kem.default_usages, 0xa0u);
  EXPECT_EQ(kem.import_formats, WVDS_KEY_FORMAT_BIT(WVDS_KEY_FORMAT_SEED) | WVDS_KEY_FORMAT_BIT(WVDS_KEY_FORMAT_PKCS8) |
                                    WVDS_KEY_FORMAT_BIT(WVDS_KEY_FORMAT_PUBLIC));
  EXPECT_EQ(kem.secret_size, 64u);
  EXPECT_EQ(kem.public_key_size, 1184u);
  EXPECT_EQ(kem.signature_size, 0u);
  EXPECT_EQ(kem.ciphertext_size, 1088u);
  EXPECT_EQ(std::string(kem.provider), std::string(WVDS_MAX_PROVIDER_SIZE, 'p'));
}

TEST_F(Service, LetsAProgramDecideBeforeItFails) {
  service.answers(encoding_of(an_offer()));
  wvds_capability_list list;
  EXPECT_EQ(wvds_capabilities(session, &list), WVDS_SUCCESS);
  EXPECT_EQ(wvds_can(&list, WVDS_OP_PING), 1);
  EXPECT_EQ(wvds_can(&list, WVDS_OP_AES_DECRYPT), 0);
  EXPECT_EQ(wvds_can(&list, 0), 0) << "what lies behind the list is no operation";
  EXPECT_EQ(wvds_can(&list, 0x150), 0) << "a number whose lowest byte is in the list";
  EXPECT_EQ(wvds_has_algorithm(&list, WVDS_MLKEM_768), 1);
  EXPECT_EQ(wvds_has_algorithm(&list, WVDS_MLDSA_65), 0);
  EXPECT_EQ(wvds_has_algorithm(&list, 0), 0);
  EXPECT_EQ(wvds_find_algorithm(&list, WVDS_MLKEM_768), &list.algorithms[1]);
  EXPECT_EQ(wvds_find_algorithm(&list, WVDS_MLKEM_512), nullptr);
}

TEST(Quota, TellsWhatIsLeft) {
  const wvds_quota some{10, 3}, none{10, 10}, overdrawn{10, 12};
  EXPECT_EQ(wvds_left(&some), 7u);
  EXPECT_EQ(wvds_left(&none), 0u);
  EXPECT_EQ(wvds_left(&overdrawn), 0u);
}

TEST_F(Service, NeedsAPlaceForWhatItTells) {
  EXPECT_EQ(wvds_status_get(session, nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_capabilities(session, nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

}  // namespace
}  // namespace wvds::client::testing
