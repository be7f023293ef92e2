#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "channel/layout.h"
#include "channel/linux/address.h"
#include "channel/linux/setup.h"
#include "channel/testing/test_service.h"
#include "platform/linux/unique_fd.h"

namespace wvds::channel::testing {

// RawClient makes the steps of set-up one by one, and only those it is asked for: a client that need not behave.
class RawClient {
 public:
  explicit RawClient(const std::string& path) {
    const auto address = socket_address(path);
    socket_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0) << path;
  }
  ~RawClient() {
    if (base_ != nullptr) munmap(base_, size_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  int socket() const { return socket_.get(); }
  int memory() const { return offer_.fds.empty() ? -1 : offer_.fds[0].get(); }
  int doorbell() const { return offer_.fds.size() < 2 ? -1 : offer_.fds[1].get(); }
  size_t size() const { return size_; }
  std::byte* base() const { return base_; }
  Region region() const { return Region(base_, slots_); }
  void hang_up() { socket_.reset(); }

  Result<> say(SetupType type, uint32_t version = kLayoutVersion) {
    return send_setup(socket(), SetupMessage{type, Status::kSuccess, version, false});
  }

  // hear waits for the service's next message; the error when the service hung up.
  Result<SetupMessage> hear() {
    for (;;) {
      auto offer = receive_offer(socket());
      if (!offer) return std::unexpected(offer.error());
      if (offer->has_value()) {
        if (!(*offer)->fds.empty()) offer_ = std::move(**offer);
        return (*offer)->message;
      }
      pollfd readable{socket(), POLLIN, 0};
      if (poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kWatchdog).count())) != 1) {
        return fail(Status::kTimeout);
      }
    }
  }

  // hung_up waits until the service hangs up; false when it says something instead, or the watchdog bit.
  bool hung_up() {
    const auto message = hear();
    return !message && message.error().status == Status::kDisconnected;
  }

  void map() {
    struct stat facts{};
    ASSERT_EQ(fstat(memory(), &facts), 0);
    size_ = static_cast<size_t>(facts.st_size);
    void* base = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, memory(), 0);
    ASSERT_NE(base, MAP_FAILED);
    base_ = static_cast<std::byte*>(base);
    slots_ = read_header(base_, size_).value().slot_count;
  }

  // connect makes all steps; true when the service is ready.
  bool connect() {
    if (!say(SetupType::kHello) || !hear()) return false;
    map();
    if (!say(SetupType::kMapped)) return false;
    const auto ready = hear();
    return ready && ready->type == SetupType::kReady && ready->status == Status::kSuccess;
  }

 private:
  platform::UniqueFd socket_;
  SetupOffer offer_;
  std::byte* base_ = nullptr;
  size_t size_ = 0;
  uint32_t slots_ = 0;
};

// send_with_fd sends a packet with a descriptor; false when the kernel refuses to.
inline bool send_with_fd(int socket, std::span<const std::byte> packet, int fd) {
  iovec content{const_cast<std::byte*>(packet.data()), packet.size()};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof fd)] = {};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
  return sendmsg(socket, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size());
}

}  // namespace wvds::channel::testing
