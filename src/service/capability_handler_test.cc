#include "service/capability_handler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/capability_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

using protocol::AlgorithmOffer;
using protocol::CapabilitiesAnswer;

CapabilitiesAnswer offer_to(TestSession& session) {
  const Answer answer = session.call(Operation::kCapabilities, {});
  EXPECT_EQ(answer.status, Status::kSuccess);
  auto decoded = CapabilitiesAnswer::decode(UntrustedBytes(answer.payload));
  EXPECT_TRUE(decoded.has_value());
  return decoded ? *decoded : CapabilitiesAnswer{};
}

const AlgorithmOffer& of(const CapabilitiesAnswer& offer, Algorithm algorithm) {
  static const AlgorithmOffer kNone;
  const auto found = std::ranges::find(offer.algorithms, algorithm, &AlgorithmOffer::algorithm);
  EXPECT_NE(found, offer.algorithms.end());
  return found == offer.algorithms.end() ? kNone : *found;
}

TEST(Capabilities, TellWhatTheCallerMayAndWhatTheServiceIs) {
  config::ServiceConfig config = test_config();
  config.clients[0].operations = {"aes-encrypt"};
  config.clients[0].rate_limit = {50, 5, 300};
  config.sessions.slots = 4;
  config.replay_window.capacity = 77;
  config.keys.use_limit = 1000;
  config.nonces = config::Nonces::kRandom;
  Harness harness(config);
  TestSession session = harness.open();
  const CapabilitiesAnswer offer = offer_to(session);
  EXPECT_EQ(offer.protocol_version, 1);
  EXPECT_EQ(offer.fips_state, protocol::FipsState::kActive);
  EXPECT_EQ(offer.slots, 4);
  EXPECT_EQ(offer.max_request_payload, 65'536u);
  EXPECT_EQ(offer.max_answer_payload, 65'564u);
  EXPECT_EQ(offer.max_aes_size, 65'502u);
  EXPECT_EQ(offer.max_mldsa_message_size, 58'050u);
  EXPECT_EQ(offer.max_random_size, 65'536u);
  EXPECT_EQ(offer.requests_per_second, 50u);
  EXPECT_EQ(offer.burst, 5u);
  EXPECT_EQ(offer.cooldown_ms, 300u);
  EXPECT_EQ(offer.nonces, protocol::NonceConstruction::kRandom);
  EXPECT_EQ(offer.max_key_versions, 4);
  EXPECT_EQ(offer.window_capacity, 77u);
  EXPECT_EQ(offer.use_limit, 1000u);
  EXPECT_EQ(offer.operations, (std::vector<uint8_t>{0x01, 0x50, 0x52}));
}

TEST(Capabilities, DescribeEachAlgorithm) {
  Harness harness;
  TestSession session = harness.open();
  const CapabilitiesAnswer offer = offer_to(session);
  EXPECT_EQ(offer.algorithms.size(), 9u);
  EXPECT_EQ(offer.nonces, protocol::NonceConstruction::kCounter);
  for (const AlgorithmOffer& algorithm : offer.algorithms) {
    EXPECT_NE(algorithm.flags & protocol::kAlgorithmInsideFips, 0);
    EXPECT_NE(algorithm.provider.find("FIPS"), std::string::npos) << algorithm.provider;
  }
  const AlgorithmOffer& aes = of(offer, Algorithm::kAes256Gcm);
  EXPECT_EQ(aes.formats, 0x01);
  EXPECT_EQ(aes.secret_size, 32);
  EXPECT_EQ(aes.public_key_size, 0);
  EXPECT_NE(aes.flags & protocol::kAlgorithmRotates, 0);
  const AlgorithmOffer& dsa = of(offer, Algorithm::kMlDsa65);
  EXPECT_EQ(dsa.formats, 0x0e);
  EXPECT_EQ(dsa.public_key_size, 1952);
  EXPECT_EQ(dsa.signature_size, 3309);
  EXPECT_EQ(dsa.possible_usages, Usage::kSign | Usage::kVerify | Usage::kSignMu | Usage::kTlsAndCsr);
  EXPECT_EQ(dsa.default_usages, Usage::kSign | Usage::kVerify);
  EXPECT_NE(dsa.flags & protocol::kAlgorithmRotates, 0);
  const AlgorithmOffer& ecdsa = of(offer, Algorithm::kEcdsaP384);
  EXPECT_EQ(ecdsa.formats, 0x0d);
  EXPECT_EQ(ecdsa.secret_size, 48);
  EXPECT_EQ(ecdsa.public_key_size, 97);
  EXPECT_EQ(ecdsa.signature_size, 104);
  EXPECT_EQ(ecdsa.possible_usages, Usage::kSign | Usage::kVerify | Usage::kTlsAndCsr);
  EXPECT_EQ(ecdsa.default_usages, Usage::kSign | Usage::kVerify);
  EXPECT_NE(ecdsa.flags & protocol::kAlgorithmRotates, 0);
  EXPECT_EQ(ecdsa.flags & protocol::kAlgorithmInsideToken, 0);
  const AlgorithmOffer& kem = of(offer, Algorithm::kMlKem768);
  EXPECT_EQ(kem.secret_size, 64);
  EXPECT_EQ(kem.ciphertext_size, 1088);
  EXPECT_EQ(kem.flags & protocol::kAlgorithmRotates, 0);
}

// What an offer says of formats and rotation is what the operations do.
TEST(Capabilities, SayWhichKeysRotate) {
  Harness harness;
  TestSession session = harness.open();
  for (const AlgorithmOffer& algorithm : offer_to(session).algorithms) {
    const uint32_t key = session.generate(algorithm.algorithm);
    const bool rotated = session.key_request(Operation::kKeyRotate, key).status == Status::kSuccess;
    EXPECT_EQ(rotated, (algorithm.flags & protocol::kAlgorithmRotates) != 0) << static_cast<int>(algorithm.algorithm);
  }
}

TEST(Capabilities, SayWhichFormatsCanBeImported) {
  Harness harness;
  TestSession session = harness.open();
  for (const AlgorithmOffer& algorithm : offer_to(session).algorithms) {
    const uint32_t pair = session.generate(algorithm.algorithm);
    const protocol::KeyTemplate wanted{algorithm.algorithm, Lifetime::kVolatile, 0, 0, ""};
    const auto imports = [&](protocol::KeyFormat format, const Buffer& material) {
      Buffer payload(8192);
      const auto length = protocol::encode_key_import_request(wanted, format, material, payload);
      payload.resize(length.value_or(0));
      return session.call(Operation::kKeyImport, payload).status == Status::kSuccess;
    };
    const auto offers = [&](protocol::KeyFormat format) {
      return (algorithm.formats >> (static_cast<unsigned>(format) - 1) & 1) != 0;
    };
    const Buffer secret(algorithm.secret_size, std::byte{7});
    EXPECT_EQ(imports(protocol::KeyFormat::kRaw, secret), offers(protocol::KeyFormat::kRaw));
    EXPECT_EQ(imports(protocol::KeyFormat::kSeed, secret), offers(protocol::KeyFormat::kSeed));
    const Buffer public_key = algorithm.public_key_size == 0 ? Buffer(32) : session.public_key(pair);
    EXPECT_EQ(imports(protocol::KeyFormat::kPublic, public_key), offers(protocol::KeyFormat::kPublic));
  }
}

TEST(Capabilities, TellTheCallersLimitsAndWhatIsUsedOfThem) {
  config::ServiceConfig config = test_config();
  config.clients[0].limits = {.sessions = 5,
                              .session_keys = 6,
                              .volatile_keys = 7,
                              .persistent_keys = 8,
                              .keys_per_minute = 9,
                              .store_bytes = 100'000,
                              .window_bytes = 200'000};
  Harness harness(config);
  TestSession session = harness.open();
  TestSession second = harness.open();
  TestSession other = harness.open(kBackend);
  other.generate(Algorithm::kAes256Gcm);
  session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
  second.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
  const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile);
  ASSERT_EQ(session.decrypt(key, session.encrypt(key, "x").payload).status, Status::kSuccess);

  const CapabilitiesAnswer offer = offer_to(session);
  EXPECT_EQ(offer.sessions.limit, 5u);
  EXPECT_EQ(offer.sessions.used, 2u);
  EXPECT_EQ(offer.session_keys.limit, 6u);
  EXPECT_EQ(offer.session_keys.used, 2u) << "over all its sessions";
  EXPECT_EQ(offer.volatile_keys.limit, 7u);
  EXPECT_EQ(offer.volatile_keys.used, 1u);
  EXPECT_EQ(offer.persistent_keys.limit, 8u);
  EXPECT_EQ(offer.persistent_keys.used, 1u);
  EXPECT_EQ(offer.keys_per_minute.limit, 9u);
  EXPECT_GE(offer.keys_per_minute.used, 1u);
  EXPECT_LE(offer.keys_per_minute.used, 4u);
  EXPECT_EQ(offer.store_bytes.limit, 100'000u);
  EXPECT_GT(offer.store_bytes.used, 32u);
  EXPECT_EQ(offer.window_bytes.limit, 200'000u);
  EXPECT_GT(offer.window_bytes.used, 0u);

  const CapabilitiesAnswer others = offer_to(other);
  EXPECT_EQ(others.sessions.used, 1u) << "another's use is not the caller's";
  EXPECT_EQ(others.session_keys.used, 0u);
  EXPECT_EQ(others.volatile_keys.used, 1u);
}

}  // namespace
}  // namespace wvds::service::testing
