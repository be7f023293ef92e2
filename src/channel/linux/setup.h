#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "platform/linux/unique_fd.h"

// The messages of a session's set-up (docs/channel.md, "Set-up on Linux"), each one packet of kSetupSize bytes.
namespace wvds::channel {

enum class SetupType : uint8_t {
  kHello = 1,   // client: I speak this layout version
  kOffer = 2,   // service: a status, and with kSuccess the shared memory's descriptor (and the doorbell's)
  kMapped = 3,  // client: I have my mapping
  kReady = 4,   // service: a status; with kSuccess the region is sealed and served
};

struct SetupMessage {
  SetupType type = SetupType::kHello;
  Status status = Status::kSuccess;
  uint32_t version = 0;
  bool doorbell = false;  // kOffer: a second descriptor comes with it
};

inline constexpr size_t kSetupSize = 16;
inline constexpr size_t kMaxSetupFds = 2;

// encode_setup and decode_setup are the packet's two directions. kProtocolError for anything but the bytes that
// encode_setup makes of some message.
void encode_setup(const SetupMessage& message, std::span<std::byte, kSetupSize> packet);
Result<SetupMessage> decode_setup(Bytes packet);

// send_setup sends without blocking. kDisconnected when the peer is gone or does not take the message.
Result<> send_setup(int socket, const SetupMessage& message, std::span<const int> fds = {});

// receive_setup takes the next message of a peer that may send no descriptors, without blocking: empty when none is
// there. kDisconnected when the peer hung up, kProtocolError for anything that is not a set-up message, or has
// descriptors with it (none of them ever becomes one of this program's).
Result<std::optional<SetupMessage>> receive_setup(int socket);

// SetupOffer is a message and the descriptors that came with it.
struct SetupOffer {
  SetupMessage message;
  std::vector<platform::UniqueFd> fds;
};

// receive_offer does the same for the client, who expects descriptors: at most kMaxSetupFds, else kProtocolError.
Result<std::optional<SetupOffer>> receive_offer(int socket);

// refuse_descriptors asks the kernel to let nobody send descriptors to this socket (SO_PASSRIGHTS, Linux 6.16). Older
// kernels can't; there receive_setup is what refuses them. False then.
bool refuse_descriptors(int socket);

}  // namespace wvds::channel
