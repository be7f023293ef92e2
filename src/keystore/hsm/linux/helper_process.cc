#include "keystore/hsm/linux/helper_process.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "keystore/hsm/helper_messages.h"
#include "keystore/hsm/linux/helper_start.h"
#include "platform/clock.h"
#include "platform/linux/whole_io.h"

namespace wvds::keystore::hsm {
namespace {

using platform::retried;
using platform::TimePoint;
using platform::UniqueFd;

// wait_for returns when there is something to read (also the end); false when `end` is over.
bool wait_for(int fd, TimePoint end) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - platform::monotonic_now()).count();
    pollfd watched{fd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::clamp<int64_t>(left, 0, INT32_MAX)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::unexpected<Error> ended() {
  return fail(Status::kDisconnected, "the process of the PKCS#11 module ended: the module crashed or was killed");
}

Result<> send(int fd, Bytes packet) {
  const auto sent = retried([&] { return ::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
  if (sent == static_cast<ssize_t>(packet.size())) return {};
  return ended();
}

// receive_socket takes the spawner's answer: one byte and, where a worker was started, its socket.
Result<UniqueFd> receive_socket(int fd) {
  char word = 0;
  iovec content{&word, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto size = retried([&] { return ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC); });
  const cmsghdr* const header = size == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int)))
    return fail(Status::kStorageError, "no process for the PKCS#11 module could be started");
  int received = -1;
  std::memcpy(&received, CMSG_DATA(header), sizeof received);
  return UniqueFd(received);
}

class HelperProcess final : public Helper {
 public:
  HelperProcess(Started spawner, std::chrono::milliseconds deadline)
      : spawner_(std::move(spawner)), deadline_(deadline) {}

  // The spawner ends the worker when it sees the end of its socket.
  ~HelperProcess() override {
    worker_.reset();
    spawner_.socket.reset();
    retried([this] { return ::waitpid(spawner_.pid, nullptr, 0); });
  }

  Result<> restart() override {
    worker_.reset();
    const TimePoint end = platform::monotonic_now() + deadline_;
    // An answer that came after an earlier deadline is of a worker that the next request ends.
    while (wait_for(spawner_.socket.get(), TimePoint{}) && receive_socket(spawner_.socket.get())) {
    }
    auto sent = send(spawner_.socket.get(), Bytes(reinterpret_cast<const std::byte*>(&kStartWorker), 1));
    if (!sent || !wait_for(spawner_.socket.get(), end))
      return fail(Status::kStorageError, "the helper process that starts the PKCS#11 module is gone: restart this one");
    WVDS_ASSIGN(socket, receive_socket(spawner_.socket.get()));
    worker_ = std::move(socket);
    return {};
  }

  Result<WipedBytes> exchange(Bytes request) override {
    auto answer = exchange_in_time(request);
    if (!answer) worker_.reset();  // an answer that comes too late must not be taken for the next one's
    return answer;
  }

 private:
  Result<WipedBytes> exchange_in_time(Bytes request) {
    // What comes unasked is the end, or an answer that was not waited for.
    if (!worker_ || wait_for(worker_.get(), TimePoint{})) return ended();
    const TimePoint end = platform::monotonic_now() + deadline_;
    WVDS_TRY(send(worker_.get(), request));
    if (!wait_for(worker_.get(), end)) {
      return fail(Status::kTimeout, "the PKCS#11 module did not answer within " +
                                        std::to_string(std::chrono::ceil<std::chrono::seconds>(deadline_).count()) +
                                        " seconds");
    }
    WipedBytes answer(kMaxHelperMessage);
    const MutableBytes target = answer.expose_for_writing();
    const auto size = retried([&] { return ::recv(worker_.get(), target.data(), target.size(), MSG_DONTWAIT); });
    if (size <= 0) return ended();
    answer.shrink(static_cast<size_t>(size));
    return answer;
  }

  Started spawner_;
  UniqueFd worker_;
  const std::chrono::milliseconds deadline_;
};

}  // namespace

Result<std::unique_ptr<Helper>> start_helper(std::chrono::milliseconds deadline,
                                             const std::vector<std::string>& hidden) {
  WVDS_ASSIGN(spawner, start_program(kSpawnerWord, hidden));
  return std::make_unique<HelperProcess>(std::move(spawner), deadline);
}

}  // namespace wvds::keystore::hsm
