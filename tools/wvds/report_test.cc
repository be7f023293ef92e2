#include "tools/wvds/report.h"

#include <gtest/gtest.h>

namespace wvds::tool {

TEST(Report, SaysTheSameToPeopleAndPrograms) {
  Report report;
  report.line("keys", "2 stored, 1 in memory", {{"persistent_keys", 2}, {"memory_keys", 1}});
  report.only_text("more for people");
  report.only_json({{"more", "for programs"}});
  EXPECT_EQ(report.text(), "keys           2 stored, 1 in memory\nmore for people\n");
  EXPECT_EQ(json_text(report.members()), "{\"persistent_keys\":2,\"memory_keys\":1,\"more\":\"for programs\"}\n");
}

TEST(Report, HoldsOthersUnderAName) {
  Report inner, outer;
  inner.line("a", "1", {{"a", 1}});
  outer.part("inner", inner);
  EXPECT_EQ(outer.text(), inner.text());
  EXPECT_EQ(json_text(outer.members()), "{\"inner\":{\"a\":1}}\n");
}

TEST(Report, IsJsonWhateverTheBytes) {
  Report report;
  report.only_json({{"label", std::string("\xff\"\n")}});
  const std::string text = json_text(report.members());
  EXPECT_TRUE(Json::accept(text)) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
}

TEST(Table, AlignsItsColumnsAndKeepsItsRows) {
  Table table({{"name", "NAME", 5}, {"count", "COUNT", 6}, {"note", "", 0}});
  EXPECT_EQ(table.head(), "NAME  COUNT\n");
  EXPECT_EQ(table.add({{"k", ""}, {1000, "1,000"}, {nullptr, ""}}), "k     1,000\n");
  EXPECT_EQ(table.add({{"longer", ""}, {7, ""}, {"!", ""}}), "longer 7      !\n");
  EXPECT_EQ(json_text(table.rows()),
            "[{\"name\":\"k\",\"count\":1000,\"note\":null},{\"name\":\"longer\",\"count\":7,\"note\":\"!\"}]\n");
}

}  // namespace wvds::tool
