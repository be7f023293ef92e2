// 256 sessions at once: all are served, the limit is told, and what leaves makes room.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "support/daemon.h"

namespace wvds::test {
namespace {

constexpr size_t kSessions = 256;

DaemonOptions room_for_all() {
  DaemonOptions options;
  options.sections = R"("sessions": {"total": 256},)";
  options.clients = R"({"name": "many", "uid": )" + std::to_string(getuid()) + R"(, "operations": )" +
                    all_operations() + R"(, "limits": {"sessions": 256}, "rate_limit": {"requests_per_second": 0}})";
  return options;
}

// comes_back encrypts the session's number with the session's own key, and decrypts it again.
bool comes_back(wvds_session* session, uint32_t key, size_t number) {
  const std::string text = "session " + std::to_string(number);
  uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(64)];
  uint8_t opened[64];
  size_t sealed_len = 0, opened_len = 0;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  return wvds_aes_encrypt(session, sealed, &sealed_len, sizeof sealed, key, bytes, text.size(), nullptr, 0) ==
             WVDS_SUCCESS &&
         wvds_aes_decrypt(session, opened, &opened_len, sizeof opened, key, sealed, sealed_len, nullptr, 0) ==
             WVDS_SUCCESS &&
         std::string(opened, opened + opened_len) == text;
}

TEST(ManySessions, AreServedAllAndTheLimitIsTold) {
  Daemon daemon(room_for_all());
  ASSERT_TRUE(daemon.start());
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<uint32_t> keys;
  for (size_t i = 0; i < kSessions; ++i) {
    connections.push_back(std::make_unique<Connection>(daemon));
    ASSERT_EQ(connections.back()->status(), WVDS_SUCCESS) << i;
    keys.push_back(make_key(*connections.back(), WVDS_LIFETIME_SESSION));
  }
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < kSessions; ++i) ASSERT_TRUE(comes_back(connections[i]->get(), keys[i], i)) << i;
  }
  EXPECT_EQ(Connection(daemon).status(), WVDS_LIMIT_REACHED);
  connections.pop_back();
  EXPECT_TRUE(reached([&] { return Connection(daemon).status() == WVDS_SUCCESS; }));
  EXPECT_TRUE(comes_back(connections.front()->get(), keys.front(), 0)) << "the others never noticed";
}

}  // namespace
}  // namespace wvds::test
