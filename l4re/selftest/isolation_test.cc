#include <gtest/gtest.h>
#include <l4/sys/ipc.h>

#include <algorithm>
#include <array>
#include <l4/re/env>
#include <l4/re/util/cap_alloc>
#include <l4/sys/ipc_gate>
#include <memory>
#include <vector>

#include "channel/l4re/shared_region.h"
#include "l4re/drop.h"
#include "platform/clock.h"
#include "wvds_crypto.h"

// What the ned script promises, from the inside of a task that has a session factory of its own.
namespace wvds::test {
namespace {

constexpr uint32_t kForeignKeys = 64;  // more than the gateway, which ran before, has made
constexpr auto kWatchdog = std::chrono::seconds(120);

struct Disconnect {
  void operator()(wvds_session* session) const { wvds_disconnect(session); }
};
using SessionHandle = std::unique_ptr<wvds_session, Disconnect>;

wvds_status connect(SessionHandle& out) {
  wvds_session* session = nullptr;
  const wvds_status status = wvds_connect(&session, "crypto", WVDS_DEFAULT_TIMEOUT);
  out.reset(session);
  return status;
}

TEST(Isolation, GivesThisTaskNothingOfTheOthers) {
  const auto* env = L4Re::Env::env();
  for (const char* name : {"gateway", "hostile", "backend", "store", "gateway.quota", "jdb", "sigma0"}) {
    EXPECT_FALSE(env->get_cap<void>(name).is_valid()) << name;
  }
}

TEST(Isolation, ShowsNoKeyOfAnotherClient) {
  SessionHandle session;
  ASSERT_EQ(connect(session), WVDS_SUCCESS);
  std::array<uint8_t, WVDS_MLDSA_MAX_SIGNATURE_SIZE> out{};
  size_t length = 0;
  for (uint32_t id = 1; id <= kForeignKeys; ++id) {
    EXPECT_EQ(wvds_key_public(session.get(), out.data(), &length, out.size(), id, 0), WVDS_KEY_NOT_FOUND) << id;
    EXPECT_EQ(wvds_key_delete(session.get(), id, 0), WVDS_KEY_NOT_FOUND) << id;
    EXPECT_EQ(wvds_mldsa_sign(session.get(), out.data(), &length, out.size(), id, nullptr, 0, nullptr, 0, 0),
              WVDS_KEY_NOT_FOUND)
        << id;
  }
}

TEST(Isolation, LetsNoClientTakeMoreMemoryThanItsQuota) {
  std::vector<SessionHandle> sessions(8);
  size_t opened = 0;
  while (opened < sessions.size() && connect(sessions[opened]) == WVDS_SUCCESS) ++opened;
  EXPECT_GE(opened, 1u);
  ASSERT_LT(opened, sessions.size()) << "the quota has an end";
  EXPECT_EQ(connect(sessions[opened]), WVDS_LIMIT_REACHED);
  sessions.clear();
}

// A client's memory comes back when it disconnects, however often.
TEST(Isolation, TakesASessionsMemoryBack) {
  for (int i = 0; i < 20; ++i) {
    SessionHandle session;
    wvds_status status = WVDS_LIMIT_REACHED;
    // the service hears of the end of the session before a moment later
    for (const auto end = platform::monotonic_now() + kWatchdog;
         status == WVDS_LIMIT_REACHED && platform::monotonic_now() < end;) {
      status = connect(session);
    }
    ASSERT_EQ(status, WVDS_SUCCESS) << i;
  }
}

// receive_region takes the region that the hostile client hands over, while that waits for the answer.
L4Re::Util::Unique_cap<L4Re::Dataspace> receive_region() {
  auto region = L4Re::Util::make_unique_cap<L4Re::Dataspace>();
  l4_utcb_t* utcb = l4_utcb();
  l4_utcb_br_u(utcb)->bdr = 0;
  l4_utcb_br_u(utcb)->br[0] = region.get().cap() | L4_RCV_ITEM_SINGLE_CAP;
  l4_utcb_br_u(utcb)->br[1] = 0;
  l4_umword_t label = 0;
  const l4_msgtag_t tag = l4_ipc_wait(utcb, &label, l4_timeout(L4_IPC_TIMEOUT_NEVER, l4_timeout_from_us(120'000'000)));
  EXPECT_FALSE(tag.has_error());
  EXPECT_EQ(tag.items(), 1u);
  l4_utcb_br_u(utcb)->br[0] = 0;
  return region;
}

void answer() { l4_ipc_send(L4_INVALID_CAP | L4_SYSF_REPLY, l4_utcb(), l4_msgtag(0, 0, 0, 0), L4_IPC_SEND_TIMEOUT_0); }

bool all_are(const std::byte* bytes, size_t size, std::byte value) {
  return std::all_of(bytes, bytes + size, [value](const volatile std::byte& one) { return one == value; });
}

TEST(Isolation, WipesTheRegionOfAClientThatDies) {
  const auto drop = L4Re::Env::env()->get_cap<L4::Rcv_endpoint>("drop");
  ASSERT_TRUE(drop.is_valid());
  ASSERT_GE(l4_error(drop->bind_thread(L4Re::Env::env()->main_thread(), 0x40)), 0);
  auto adopted = channel::SharedRegion::adopt(receive_region());
  ASSERT_TRUE(adopted.has_value()) << adopted.error().detail;
  const std::byte* area = adopted->region().slot(0).request_area;
  EXPECT_TRUE(all_are(area, channel::kRequestAreaSize, std::byte{0xa5})) << "the client's bytes are there";
  answer();
  const auto end = platform::monotonic_now() + kWatchdog;
  while (!all_are(area, channel::kRequestAreaSize, std::byte{0}) && platform::monotonic_now() < end) {
  }
  EXPECT_TRUE(all_are(area, channel::kRequestAreaSize, std::byte{0}));
}

}  // namespace
}  // namespace wvds::test
