#include "vectors_e2e/vector_session.h"

#include <cstring>

#include "protocol/key_messages.h"

namespace wvds::test {

void Tally::finish(std::string_view what, const std::vector<LeftOut>& left_out, size_t expected,
                   size_t expected_skipped) {
  Skipped skipped;
  size_t skipped_in_all = 0;
  for (const auto& [reason, cases] : skipped_) {
    skipped.push_back({reason, cases});
    skipped_in_all += cases;
  }
  report(what, ran_, left_out, skipped);
  EXPECT_EQ(ran_, expected) << what;
  EXPECT_EQ(skipped_in_all, expected_skipped) << what;
}

void VectorTest::SetUp() {
  service_ = VectorService::start();
  ASSERT_NE(service_, nullptr);
}

std::unique_ptr<SessionKey> VectorTest::import_key(const KeyWish& wish, const Octets& material, Octets* public_key) {
  wvds_key_template wanted{};
  wanted.algorithm = static_cast<wvds_algorithm>(wish.algorithm);
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  wanted.usages = wish.usages;
  wanted.flags = wish.flags;
  Octets room(WVDS_MAX_PUBLIC_KEY_SIZE);
  size_t length = 0;
  uint32_t id = 0;
  const wvds_status status = wvds_key_import(session(), &id, octets_of(room), &length, room.size(), &wanted,
                                             wish.format, octets_of(material), material.size());
  EXPECT_EQ(status, WVDS_SUCCESS) << wvds_status_name(status);
  if (status != WVDS_SUCCESS) return nullptr;
  room.resize(length);
  if (public_key != nullptr) *public_key = room;
  return std::make_unique<SessionKey>(session(), id);
}

wvds_status VectorTest::status_of_import(const KeyWish& wish, const Octets& material) {
  protocol::KeyTemplate wanted;
  wanted.algorithm = wish.algorithm;
  wanted.lifetime = Lifetime::kSession;
  wanted.usages = static_cast<Usages>(wish.usages);
  Octets payload(64 + material.size());
  const auto size =
      protocol::encode_key_import_request(wanted, static_cast<protocol::KeyFormat>(wish.format), material, payload);
  if (!size) return static_cast<wvds_status>(size.error().status);
  wvds_call* call = nullptr;
  uint8_t* place = nullptr;
  wvds_status status = wvds_request_begin(session(), &call, &place, WVDS_OP_KEY_IMPORT, *size);
  if (status == WVDS_SUCCESS) {
    std::memcpy(place, payload.data(), *size);
    status = wvds_submit(call);
  }
  if (status == WVDS_SUCCESS) status = wvds_collect(call, WVDS_DEFAULT_TIMEOUT);
  wvds_call_release(call);
  return status;
}

}  // namespace wvds::test
