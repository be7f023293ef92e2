#include "channel/linux/setup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <vector>

#include "channel/layout.h"
#include "channel/linux/testing/raw_client.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;

size_t open_descriptors() {
  const std::filesystem::directory_iterator listing("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(listing), end(listing)));
}

class SetupTest : public ::testing::Test {
 protected:
  SetupTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    here_.reset(ends[0]);
    there_.reset(ends[1]);
  }

  void send_bytes(Bytes packet) {
    ASSERT_EQ(send(there_.get(), packet.data(), packet.size(), 0), static_cast<ssize_t>(packet.size()));
  }

  // hello is the packet as docs/channel.md has it.
  std::array<std::byte, kSetupSize> hello() {
    const unsigned char bytes[kSetupSize] = {'W', 'v', 'C', 's', 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    std::array<std::byte, kSetupSize> packet;
    std::memcpy(packet.data(), bytes, sizeof bytes);
    return packet;
  }

  UniqueFd here_;
  UniqueFd there_;
};

TEST_F(SetupTest, SendsTheBytesThatAreDocumented) {
  ASSERT_TRUE(send_setup(here_.get(), {SetupType::kHello, Status::kSuccess, 1, false}).has_value());
  std::array<std::byte, 64> packet{};
  ASSERT_EQ(recv(there_.get(), packet.data(), packet.size(), 0), static_cast<ssize_t>(kSetupSize));
  const auto expected = hello();
  EXPECT_EQ(std::memcmp(packet.data(), expected.data(), expected.size()), 0);
}

TEST_F(SetupTest, ReadsWhatItWrote) {
  const SetupMessage sent{SetupType::kReady, Status::kDenied, 77, true};
  ASSERT_TRUE(send_setup(there_.get(), sent).has_value());
  const auto message = receive_setup(here_.get());
  ASSERT_TRUE(message.has_value() && message->has_value());
  EXPECT_EQ((*message)->type, sent.type);
  EXPECT_EQ((*message)->status, sent.status);
  EXPECT_EQ((*message)->version, sent.version);
  EXPECT_EQ((*message)->doorbell, sent.doorbell);
}

TEST_F(SetupTest, TellsSilenceFromHangingUp) {
  const auto silence = receive_setup(here_.get());
  ASSERT_TRUE(silence.has_value());
  EXPECT_FALSE(silence->has_value());
  there_.reset();
  EXPECT_EQ(receive_setup(here_.get()).error().status, Status::kDisconnected);
}

TEST_F(SetupTest, RefusesPacketsOfAnotherSize) {
  const auto proper = hello();
  for (size_t size : {size_t{1}, kSetupSize - 1, kSetupSize + 1, size_t{4096}}) {
    std::vector<std::byte> packet(size);
    std::memcpy(packet.data(), proper.data(), std::min(size, proper.size()));
    send_bytes(packet);
    EXPECT_EQ(receive_setup(here_.get()).error().status, Status::kProtocolError) << size;
  }
}

TEST_F(SetupTest, RefusesOtherMagicTypesFlagsAndBytesThatMustBeZero) {
  for (size_t changed : {0, 3, 4, 6, 7, 12, 15}) {
    auto packet = hello();
    packet[changed] ^= std::byte{0x42};
    send_bytes(packet);
    EXPECT_EQ(receive_setup(here_.get()).error().status, Status::kProtocolError) << "byte " << changed;
  }
  for (int type : {0, 5, 255}) {
    auto packet = hello();
    packet[4] = std::byte(type);
    send_bytes(packet);
    EXPECT_EQ(receive_setup(here_.get()).error().status, Status::kProtocolError) << "type " << type;
  }
}

TEST_F(SetupTest, RefusesDescriptorsAndKeepsNone) {
  const size_t before = open_descriptors();
  ASSERT_TRUE(testing::send_with_fd(there_.get(), hello(), STDIN_FILENO));
  EXPECT_EQ(receive_setup(here_.get()).error().status, Status::kProtocolError);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SetupTest, GivesTheClientTheDescriptorsItExpects) {
  const int fds[] = {here_.get(), there_.get()};
  ASSERT_TRUE(send_setup(there_.get(), {SetupType::kOffer, Status::kSuccess, 1, true}, fds).has_value());
  const auto offer = receive_offer(here_.get());
  ASSERT_TRUE(offer.has_value() && offer->has_value());
  ASSERT_EQ((*offer)->fds.size(), 2u);
  EXPECT_EQ(fcntl((*offer)->fds[0].get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(SetupTest, RefusesMoreDescriptorsThanAnOfferHasAndClosesThem) {
  const size_t before = open_descriptors();
  const int fds[] = {here_.get(), there_.get(), here_.get()};
  iovec content{};
  auto packet = hello();
  content.iov_base = packet.data();
  content.iov_len = packet.size();
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof fds)] = {};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof fds);
  std::memcpy(CMSG_DATA(control), fds, sizeof fds);
  ASSERT_GT(sendmsg(there_.get(), &header, 0), 0);
  EXPECT_EQ(receive_offer(here_.get()).error().status, Status::kProtocolError);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SetupTest, FindsARefusalThatWasSentBeforeTheOtherSideHungUpOnOurMessage) {
  ASSERT_TRUE(send_setup(here_.get(), {SetupType::kHello, Status::kSuccess, 1, false}).has_value());
  ASSERT_TRUE(send_setup(there_.get(), {SetupType::kOffer, Status::kLimitReached, 1, false}).has_value());
  there_.reset();  // with our message unread
  const auto offer = receive_offer(here_.get());
  ASSERT_TRUE(offer.has_value() && offer->has_value());
  EXPECT_EQ((*offer)->message.status, Status::kLimitReached);
}

TEST_F(SetupTest, CanAskTheKernelToRefuseDescriptors) {
  if (!refuse_descriptors(here_.get())) GTEST_SKIP() << "NOT RUN: this kernel has no SO_PASSRIGHTS (Linux 6.16)";
  EXPECT_FALSE(testing::send_with_fd(there_.get(), hello(), STDIN_FILENO));
}

}  // namespace
}  // namespace wvds::channel
