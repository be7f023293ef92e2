#include "access/principal.h"

#include <gtest/gtest.h>

namespace wvds::access {
namespace {

using protocol::Operation;

config::Client client(std::string name, std::optional<uint32_t> uid, std::optional<uint32_t> gid,
                      std::string label = {}) {
  config::Client out;
  out.name = std::move(name);
  out.uid = uid;
  out.gid = gid;
  out.label = std::move(label);
  return out;
}

channel::Peer user(uint32_t uid, uint32_t gid) { return {uid, gid, 1, ""}; }
channel::Peer task(std::string label) { return {0, 0, 0, std::move(label)}; }

std::string resolved(const PrincipalTable& table, const channel::Peer& peer) {
  const auto principal = table.resolve(peer);
  return principal == nullptr ? "nobody" : principal->name();
}

TEST(Labels, AreThoseOfTheClientsWithARightThere) {
  std::vector<config::Client> clients{client("keys", {}, {}, "k"), client("both", {}, {}, "b"),
                                      client("certificates", {}, {}, "c")};
  clients[0].operations = {"status"};
  clients[1].operations = {"est-status", "key-generate"};
  clients[2].operations = {"est-relay"};
  EXPECT_EQ(labels_of(clients, protocol::Daemon::kCryptoService), (std::vector<std::string>{"k", "b"}));
  EXPECT_EQ(labels_of(clients, protocol::Daemon::kEstService), (std::vector<std::string>{"b", "c"}));
}

TEST(PrincipalTable, FindsTheClientThatNamesMost) {
  const PrincipalTable table({client("group", {}, 20), client("user", 10, {}), client("both", 10, 20)});
  EXPECT_EQ(resolved(table, user(10, 20)), "both");
  EXPECT_EQ(resolved(table, user(10, 21)), "user");
  EXPECT_EQ(resolved(table, user(11, 20)), "group");
}

TEST(PrincipalTable, PrefersTheUserToTheGroup) {
  const PrincipalTable table({client("group", {}, 20), client("user", 10, {})});
  EXPECT_EQ(resolved(table, user(10, 20)), "user");
}

TEST(PrincipalTable, NeedsAllThatTheClientNames) {
  const PrincipalTable table({client("both", 10, 20)});
  EXPECT_EQ(resolved(table, user(10, 21)), "nobody");
  EXPECT_EQ(resolved(table, user(11, 20)), "nobody");
}

TEST(PrincipalTable, HasNoPlaceForStrangersNotEvenTheAdministrator) {
  const PrincipalTable table({client("user", 10, {})});
  EXPECT_EQ(resolved(table, user(0, 0)), "nobody");
}

TEST(PrincipalTable, GoesByTheLabelWhereThereIsOne) {
  const PrincipalTable table({client("root", 0, {}), client("gateway", {}, {}, "gw")});
  EXPECT_EQ(resolved(table, task("gw")), "gateway");
  EXPECT_EQ(resolved(table, task("other")), "nobody") << "a peer with a label has no uid, not uid 0";
  EXPECT_EQ(resolved(table, user(0, 0)), "root");
}

TEST(Principal, MayWhatItsOperationsSay) {
  config::Client gateway = client("gateway", 1, {});
  gateway.operations = {"aes-encrypt", "key-import"};
  const Principal principal(gateway);
  EXPECT_TRUE(principal.may(Operation::kAesEncrypt));
  EXPECT_TRUE(principal.may(Operation::kKeyImport));
  EXPECT_FALSE(principal.may(Operation::kAesDecrypt));
  EXPECT_FALSE(principal.may(Operation::kKeyGenerate));
  EXPECT_FALSE(principal.may(Operation::kStatus));
}

TEST(Principal, MayAlwaysAskWhetherTheServiceLivesAndWhatItMay) {
  const Principal principal(client("gateway", 1, {}));
  EXPECT_TRUE(principal.may(Operation::kPing));
  EXPECT_TRUE(principal.may(Operation::kCapabilities));
}

TEST(Principal, HasOnlyAsManySessionsAsItsLimit) {
  config::Client gateway = client("gateway", 1, {});
  gateway.limits.sessions = 2;
  Principal principal(gateway);
  EXPECT_TRUE(principal.claim_session());
  EXPECT_TRUE(principal.claim_session());
  EXPECT_FALSE(principal.claim_session());
  principal.release_session();
  EXPECT_TRUE(principal.claim_session());
}

TEST(Principal, KnowsTheContextThatAGrantFixes) {
  config::Client gateway = client("gateway", 1, {});
  gateway.grants = {{.id = 7, .usages = 4, .context = "telemetry"}, {.id = 8, .usages = 4, .context = {}}};
  const Principal principal(gateway);
  ASSERT_NE(principal.fixed_context(7), nullptr);
  EXPECT_EQ(*principal.fixed_context(7), "telemetry");
  EXPECT_EQ(principal.fixed_context(8), nullptr);
  EXPECT_EQ(principal.fixed_context(9), nullptr);
}

}  // namespace
}  // namespace wvds::access
