#include "channel/linux/setup.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

namespace wvds::channel {
namespace {

using platform::UniqueFd;

constexpr uint32_t kSetupMagic = 0x7343'7657;  // the bytes "WvCs"
constexpr uint16_t kDoorbellFlag = 0x0001;

using Packet = std::array<std::byte, kSetupSize + 1>;  // one byte more, to see that a packet is too long
using FdSpace = std::array<std::byte, CMSG_SPACE(kMaxSetupFds * sizeof(int))>;

bool is_setup_type(uint8_t type) {
  return type >= static_cast<uint8_t>(SetupType::kHello) && type <= static_cast<uint8_t>(SetupType::kReady);
}

void attach(msghdr& header, FdSpace& space, std::span<const int> fds) {
  header.msg_control = space.data();
  header.msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(control), fds.data(), fds.size_bytes());
}

std::vector<UniqueFd> detach(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// receive returns the length of the packet, 0 for the end, -1 when none is there. A service that closed its end with a
// message of ours unread makes the first call report that, and the next one give what it had sent.
Result<ssize_t> receive(int socket, msghdr& header) {
  for (int tries = 0; tries < 2; ++tries) {
    const ssize_t length = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length >= 0) return length;
    if (errno == EAGAIN || errno == EINTR) return -1;
    if (errno != ECONNRESET) break;
  }
  return fail(Status::kDisconnected, std::string("set-up: ") + std::strerror(errno));
}

Result<SetupMessage> judge(const msghdr& header, const Packet& packet, ssize_t length) {
  if (length == 0) return fail(Status::kDisconnected, "hung up during set-up");
  if ((header.msg_flags & MSG_CTRUNC) != 0) return fail(Status::kProtocolError, "descriptors where none may be");
  if (length != kSetupSize) return fail(Status::kProtocolError, "set-up message of a wrong size");
  return decode_setup(Bytes(packet).first(kSetupSize));
}

}  // namespace

Result<SetupMessage> decode_setup(Bytes packet) {
  Reader reader(packet);
  const uint32_t magic = reader.u32();
  const uint8_t type = reader.u8();
  const uint8_t status = reader.u8();
  const uint16_t flags = reader.u16();
  const uint32_t version = reader.u32();
  const uint32_t zero = reader.u32();
  if (!reader.finish() || magic != kSetupMagic || zero != 0 || (flags & ~kDoorbellFlag) != 0 || !is_setup_type(type)) {
    return fail(Status::kProtocolError, "not a set-up message");
  }
  return SetupMessage{SetupType{type}, Status{status}, version, (flags & kDoorbellFlag) != 0};
}

void encode_setup(const SetupMessage& message, std::span<std::byte, kSetupSize> packet) {
  Writer writer(packet);
  writer.u32(kSetupMagic);
  writer.u8(static_cast<uint8_t>(message.type));
  writer.u8(static_cast<uint8_t>(message.status));
  writer.u16(message.doorbell ? kDoorbellFlag : 0);
  writer.u32(message.version);
  writer.u32(0);
}

Result<> send_setup(int socket, const SetupMessage& message, std::span<const int> fds) {
  std::array<std::byte, kSetupSize> packet{};
  encode_setup(message, packet);
  iovec content{packet.data(), packet.size()};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  alignas(cmsghdr) FdSpace space{};
  if (!fds.empty()) attach(header, space, fds);
  if (sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(packet.size())) return {};
  return fail(Status::kDisconnected, std::string("set-up: ") + std::strerror(errno));
}

// Without room for control data the kernel drops descriptors and says so; none is ever installed here.
Result<std::optional<SetupMessage>> receive_setup(int socket) {
  Packet packet{};
  iovec content{packet.data(), packet.size()};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  WVDS_ASSIGN(length, receive(socket, header));
  if (length < 0) return std::nullopt;
  WVDS_ASSIGN(message, judge(header, packet, length));
  return message;
}

Result<std::optional<SetupOffer>> receive_offer(int socket) {
  Packet packet{};
  alignas(cmsghdr) FdSpace space{};
  iovec content{packet.data(), packet.size()};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  WVDS_ASSIGN(length, receive(socket, header));
  if (length < 0) return std::nullopt;
  SetupOffer offer;
  offer.fds = detach(header);
  WVDS_ASSIGN(message, judge(header, packet, length));
  offer.message = message;
  return offer;
}

bool refuse_descriptors(int socket) {
  const int no = 0;
  return setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no) == 0;
}

}  // namespace wvds::channel
