#include "keystore/hsm/helper_messages.h"

#include <gtest/gtest.h>

namespace wvds::keystore::hsm {
namespace {

std::vector<std::byte> packet(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

TEST(HelperMessage, ComesBackAsItWas) {
  Message sent{7, {}};
  sent.add_text("label");
  sent.add_number(0x0102030405060708);
  sent.add({});
  const auto received = Message::decode(sent.encode().expose());
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->kind, 7);
  EXPECT_EQ(received->text(0, 5).value(), "label");
  EXPECT_EQ(received->number(1).value(), 0x0102030405060708u);
  EXPECT_EQ(received->bytes(2, 0, 0).value().size(), 0u);
}

TEST(HelperMessage, RefusesWhatDoesNotAddUp) {
  EXPECT_TRUE(Message::decode(packet({1, 0})).has_value());
  EXPECT_TRUE(Message::decode(packet({1, 1, 1, 0, 0, 0, 9})).has_value());
  EXPECT_FALSE(Message::decode({}).has_value());
  EXPECT_FALSE(Message::decode(packet({1})).has_value());
  EXPECT_FALSE(Message::decode(packet({1, 1})).has_value());
  EXPECT_FALSE(Message::decode(packet({1, 1, 2, 0, 0, 0, 9})).has_value()) << "shorter than its field";
  EXPECT_FALSE(Message::decode(packet({1, 1, 0, 0, 0, 0, 9})).has_value()) << "longer than its fields";
  EXPECT_FALSE(Message::decode(packet({1, 1, 0xff, 0xff, 0xff, 0xff, 9})).has_value());
  std::vector<std::byte> many = packet({1, 9});
  many.resize(2 + 9 * 4);
  EXPECT_FALSE(Message::decode(many).has_value()) << "too many fields";
  EXPECT_FALSE(Message::decode(std::vector<std::byte>(kMaxHelperMessage + 1)).has_value());
}

TEST(HelperMessage, GivesFieldsOfTheRightSizeOnly) {
  Message message{0, {}};
  message.add(packet({1, 2, 3}));
  EXPECT_TRUE(message.bytes(0, 3, 3).has_value());
  EXPECT_FALSE(message.bytes(0, 4, 8).has_value());
  EXPECT_FALSE(message.bytes(0, 0, 2).has_value());
  EXPECT_FALSE(message.text(0, 2).has_value());
  EXPECT_FALSE(message.number(0).has_value());
  EXPECT_FALSE(message.bytes(1, 0, 9).has_value()) << "no such field";
}

}  // namespace
}  // namespace wvds::keystore::hsm
