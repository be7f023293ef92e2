#include "protocol/capability_messages.h"

#include <gtest/gtest.h>

#include "protocol/key_messages.h"
#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::encoding_of;
using testing::hex;
using testing::status_of;
using testing::untrusted;

// Each field has a value of its own, so that two that changed places would be seen.
CapabilitiesAnswer an_offer() {
  CapabilitiesAnswer offer;
  offer.protocol_version = 1;
  offer.fips_state = FipsState::kUnavailable;
  offer.slots = 8;
  offer.max_request_payload = 0x101;
  offer.max_answer_payload = 0x102;
  offer.max_aes_size = 0x103;
  offer.max_mldsa_message_size = 0x104;
  offer.max_random_size = 0x105;
  offer.requests_per_second = 0x106;
  offer.burst = 0x107;
  offer.cooldown_ms = 0x108;
  offer.nonces = NonceConstruction::kRandom;
  offer.max_key_versions = 4;
  offer.window_capacity = 0x109;
  offer.use_limit = 1ull << 32;
  offer.sessions = {0x10a, 1};
  offer.session_keys = {0x10b, 2};
  offer.volatile_keys = {0x10c, 3};
  offer.persistent_keys = {0x10d, 4};
  offer.keys_per_minute = {0x10e, 5};
  offer.store_bytes = {1ull << 33, 6};
  offer.window_bytes = {1ull << 34, 7};
  offer.operations = {0x01, 0x50};
  offer.algorithms = {{Algorithm::kAes256Gcm, kAlgorithmInsideFips | kAlgorithmRotates, 3, 3, 0x01, 32, 0, 0, 0, "a"},
                      {Algorithm::kMlKem768, 0, 0xe0, 0xa0, 0x0e, 64, 1184, 0, 1088, "bc"}};
  return offer;
}

constexpr size_t kOperationCount = 124, kAlgorithmCount = 126, kOperations = 128, kAlgorithms = 130;

bool same(const Quota& a, const Quota& b) { return a.limit == b.limit && a.used == b.used; }

TEST(CapabilitiesAnswer, StandsAtItsOffsets) {
  const Buffer head =
      hex("01 02 08 00  01 01 00 00  02 01 00 00  03 01 00 00  04 01 00 00  05 01 00 00"  // to the largest sizes
          " 06 01 00 00  07 01 00 00  08 01 00 00  01 04 00 00  09 01 00 00"              // rates, nonces, window
          " 00 00 00 00 01 00 00 00"                                                      // use limit
          " 0a 01 00 00 01 00 00 00  0b 01 00 00 02 00 00 00  0c 01 00 00 03 00 00 00"    // sessions, keys
          " 0d 01 00 00 04 00 00 00  0e 01 00 00 05 00 00 00"                             // keys, keys a minute
          " 00 00 00 00 02 00 00 00 06 00 00 00 00 00 00 00"                              // store bytes
          " 00 00 00 00 04 00 00 00 07 00 00 00 00 00 00 00  02 00 02 00");               // window bytes, counts
  ASSERT_EQ(head.size(), kCapabilitiesHeadSize);
  const Buffer lists =
      hex("01 50"
          " 01 03 03 00 03 00 01 01 20 00 00 00 00 00 00 00 61"
          " 21 00 e0 00 a0 00 0e 02 40 00 a0 04 00 00 40 04 62 63");
  EXPECT_EQ(encoding_of(an_offer()), testing::join({head, lists}));
}

TEST(CapabilitiesAnswer, GivesItsFields) {
  const Buffer payload = encoding_of(an_offer());
  const auto offer = CapabilitiesAnswer::decode(untrusted(payload));
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->fips_state, FipsState::kUnavailable);
  EXPECT_EQ(offer->slots, 8);
  EXPECT_EQ(offer->max_aes_size, 0x103u);
  EXPECT_EQ(offer->max_random_size, 0x105u);
  EXPECT_EQ(offer->cooldown_ms, 0x108u);
  EXPECT_EQ(offer->nonces, NonceConstruction::kRandom);
  EXPECT_EQ(offer->max_key_versions, 4);
  EXPECT_EQ(offer->window_capacity, 0x109u);
  EXPECT_EQ(offer->use_limit, 1ull << 32);
  EXPECT_TRUE(same(offer->sessions, {0x10a, 1}));
  EXPECT_TRUE(same(offer->keys_per_minute, {0x10e, 5}));
  EXPECT_TRUE(same(offer->window_bytes, {1ull << 34, 7}));
  EXPECT_EQ(offer->operations, (std::vector<uint8_t>{0x01, 0x50}));
  ASSERT_EQ(offer->algorithms.size(), 2u);
  EXPECT_EQ(offer->algorithms[1].algorithm, Algorithm::kMlKem768);
  EXPECT_EQ(offer->algorithms[1].public_key_size, 1184);
  EXPECT_EQ(offer->algorithms[1].provider, "bc");
  EXPECT_EQ(encoding_of(*offer), payload);
}

TEST(CapabilitiesAnswer, RejectsCountsThatLieAndUnknownStates) {
  const Buffer payload = encoding_of(an_offer());
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, 1, 3)), Status::kInvalidPayload);   // FIPS state
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, 36, 2)), Status::kInvalidPayload);  // nonces
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, 38, 1)), Status::kInvalidPayload);  // zero
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, 39, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, kOperationCount, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, kOperationCount + 1, 0xff)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, kAlgorithmCount, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, kAlgorithmCount + 1, 1)), Status::kInvalidPayload);
  EXPECT_TRUE(testing::refuses_every_prefix<CapabilitiesAnswer>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<CapabilitiesAnswer>(payload));
}

TEST(CapabilitiesAnswer, RejectsProvidersThatATerminalWouldObey) {
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(encoding_of(an_offer()), kAlgorithms + 16, 0x1b)),
            Status::kInvalidPayload);
}

TEST(CapabilitiesAnswer, PassesAlgorithmsFlagsAndUsagesOfLaterVersionsOn) {
  const Buffer payload = encoding_of(an_offer());
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, kOperations, 0xee)), Status::kSuccess);
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(payload, kAlgorithms + i, 0xee)), Status::kSuccess) << i;
  }
}

TEST(CapabilitiesAnswer, BoundsItsLists) {
  CapabilitiesAnswer offer = an_offer();
  offer.operations.assign(kMaxListedOperations, 1);
  offer.algorithms.resize(kMaxListedAlgorithms, offer.algorithms.back());
  EXPECT_EQ(status_of<CapabilitiesAnswer>(encoding_of(offer)), Status::kSuccess);

  Buffer one_operation_more = encoding_of(offer);
  one_operation_more.insert(one_operation_more.begin() + kOperations, std::byte{1});
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(one_operation_more, kOperationCount, 1)), Status::kInvalidPayload);
  Buffer one_algorithm_more = encoding_of(offer);
  one_algorithm_more.insert(one_algorithm_more.end(), one_algorithm_more.end() - 18, one_algorithm_more.end());
  EXPECT_EQ(status_of<CapabilitiesAnswer>(changed(one_algorithm_more, kAlgorithmCount, 33)), Status::kInvalidPayload);

  Buffer out(1 << 12);
  offer.operations.push_back(1);
  EXPECT_EQ(offer.encode(out).error().status, Status::kInvalidArgument);
  offer.operations.clear();
  offer.algorithms.push_back(offer.algorithms.back());
  EXPECT_EQ(offer.encode(out).error().status, Status::kInvalidArgument);
}

TEST(CapabilitiesAnswer, ShowsCountsThatAreTooLargeForTheirFieldAsTheLargest) {
  CapabilitiesAnswer offer = an_offer();
  offer.sessions = {1ull << 40, 1ull << 32};
  const Buffer payload = encoding_of(offer);
  const auto decoded = CapabilitiesAnswer::decode(untrusted(payload));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(same(decoded->sessions, {0xffffffff, 0xffffffff}));
}

TEST(CapabilitiesAnswer, NamesProvidersInPrintableTextThatFits) {
  CapabilitiesAnswer offer = an_offer();
  offer.algorithms[0].provider = "line\nbreak";
  offer.algorithms[1].provider = std::string(kMaxProviderSize - 1, 'x') + "\xc3\xbc";  // the umlaut would be halved
  const Buffer payload = encoding_of(offer);
  const auto decoded = CapabilitiesAnswer::decode(untrusted(payload));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->algorithms[0].provider, "line?break");
  EXPECT_EQ(decoded->algorithms[1].provider, std::string(kMaxProviderSize - 1, 'x'));
}

}  // namespace
}  // namespace wvds::protocol
