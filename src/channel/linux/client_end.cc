#include "channel/linux/client_end.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "channel/linux/address.h"
#include "channel/linux/setup.h"
#include "channel/linux/shared_memory.h"
#include "channel/linux/waiters.h"
#include "channel/slot_client.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;
using std::chrono::microseconds;

// time_left is positive, or the call times out.
Result<microseconds> time_left(TimePoint deadline) {
  const TimePoint now = platform::monotonic_now();
  if (deadline <= now) return fail(Status::kTimeout, "deadline of connect");
  constexpr microseconds kEnough = std::chrono::hours(1);
  return std::clamp(std::chrono::duration_cast<microseconds>(std::min<platform::Duration>(deadline - now, kEnough)),
                    microseconds(1), kEnough);
}

std::unexpected<Error> refused(const std::string& path) {
  const int cause = errno;
  const std::string detail = "can't connect to " + path + ": " + std::strerror(cause);
  if (cause == EACCES || cause == EPERM) return fail(Status::kDenied, detail);
  if (cause == EAGAIN) return fail(Status::kTimeout, detail);
  return fail(Status::kConnectFailed, detail);
}

// A Unix socket's connect blocks while the service's queue is full, as long as the send time-out lets it.
Result<UniqueFd> connect_socket(const std::string& path, TimePoint deadline) {
  WVDS_ASSIGN(address, socket_address(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return refused(path);
  for (;;) {
    WVDS_ASSIGN(left, time_left(deadline));
    const timeval limit{static_cast<time_t>(left.count() / 1'000'000),
                        static_cast<suseconds_t>(left.count() % 1'000'000)};
    if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) return refused(path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
    if (errno != EINTR) return refused(path);
  }
}

Result<SetupOffer> next_message(int socket, TimePoint deadline) {
  for (;;) {
    WVDS_ASSIGN(message, receive_offer(socket));
    if (message) return std::move(*message);
    WVDS_ASSIGN(left, time_left(deadline));
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left);
    pollfd readable{socket, POLLIN, 0};
    poll(&readable, 1, static_cast<int>(milliseconds.count()));
  }
}

// travels tells whether a status may stand in a refusal.
bool travels(Status status) { return status > Status::kSuccess && status <= kLastServiceStatus; }

// expect takes the service's next message, which must be of this type and say success.
Result<SetupOffer> expect(SetupType type, int socket, TimePoint deadline) {
  auto offer = next_message(socket, deadline);
  if (!offer) {
    if (offer.error().status == Status::kDisconnected) offer.error().status = Status::kConnectFailed;
    return offer;
  }
  const SetupMessage& message = offer->message;
  if (message.type != SetupType::kOffer && message.type != type)
    return fail(Status::kProtocolError, "set-up out of order");
  if (travels(message.status)) return fail(message.status, "the service refuses the session");
  const size_t fds = type == SetupType::kOffer ? 1 + (message.doorbell ? 1 : 0) : 0;
  if (message.status != Status::kSuccess || message.type != type || message.version != kLayoutVersion ||
      offer->fds.size() != fds) {
    return fail(Status::kProtocolError, "set-up message that does not fit");
  }
  return offer;
}

SetupMessage message_of(SetupType type) { return SetupMessage{type, Status::kSuccess, kLayoutVersion, false}; }

}  // namespace

Result<std::unique_ptr<ClientEnd>> connect_on_linux(const std::string& address, const ClientTuning& tuning,
                                                    TimePoint deadline) {
  WVDS_ASSIGN(socket, connect_socket(address, deadline));
  // a service that refuses at once may have hung up already; its refusal can still be read
  (void)send_setup(socket.get(), message_of(SetupType::kHello));
  WVDS_ASSIGN(offer, expect(SetupType::kOffer, socket.get(), deadline));
  WVDS_ASSIGN(memory, SharedMemory::adopt(std::move(offer.fds[0])));
  WVDS_ASSIGN(info, read_header(memory.base(), memory.size()));
  UniqueFd doorbell = offer.message.doorbell ? std::move(offer.fds[1]) : UniqueFd();
  (void)send_setup(socket.get(), message_of(SetupType::kMapped));
  WVDS_TRY(expect(SetupType::kReady, socket.get(), deadline));
  const Region region(memory.base(), info.slot_count);
  auto waiter =
      std::make_unique<LinuxClientWaiter>(std::move(memory), info.slot_count, std::move(socket), std::move(doorbell));
  const unsigned processors = tuning.processors.value_or(platform::available_processors());
  return std::make_unique<SlotClient>(region, info.epoch, processors, std::move(waiter), tuning.slice,
                                      platform::bound_processor());
}

Result<std::unique_ptr<ClientEnd>> connect(const std::string& address, TimePoint deadline) {
  return connect_on_linux(address, ClientTuning{}, deadline);
}

}  // namespace wvds::channel
