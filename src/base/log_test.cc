#include "base/log.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/secret.h"

namespace wvds {
namespace {

static_assert(!std::is_constructible_v<LogField, std::string_view, const AesKeyBytes&>, "a secret can't be logged");

std::vector<std::string> g_lines;

class Log : public testing::Test {
 protected:
  void SetUp() override {
    g_lines.clear();
    set_log_level(LogLevel::kInfo);
    set_log_sink([](const LogRecord& record) { g_lines.emplace_back(record.line); });
  }
  void TearDown() override { set_log_sink(nullptr); }
};

TEST_F(Log, WritesFieldsAsNameAndValue) {
  log_info("session opened", {{"principal", "gateway"}, {"id", 7}, {"why", "a b"}});
  ASSERT_EQ(g_lines.size(), 1u);
  EXPECT_EQ(g_lines[0], "session opened principal=gateway id=7 why=\"a b\"");
}

TEST_F(Log, EscapesWhatCouldForgeALine) {
  log_info("label", {{"text", "x\n<3>fake=\"1\""}});
  EXPECT_EQ(g_lines[0], "label text=\"x\\x0a<3>fake=\\x221\\x22\"");
}

TEST_F(Log, DropsLinesBelowTheLevel) {
  set_log_level(LogLevel::kError);
  log_warning("quiet");
  EXPECT_TRUE(g_lines.empty());
}

TEST_F(Log, LinesOfTwoThreadsDoNotMix) {
  auto many = [] {
    for (int i = 0; i < 200; ++i) log_info("line", {{"i", i}});
  };
  std::thread other(many);
  many();
  other.join();
  EXPECT_EQ(g_lines.size(), 400u);
}

}  // namespace
}  // namespace wvds
