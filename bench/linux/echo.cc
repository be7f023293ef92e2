#include "bench/linux/echo.h"

#include <sys/mman.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <thread>

#include "bench/request.h"
#include "channel/connect.h"
#include "channel/listen.h"
#include "platform/clock.h"
#include "protocol/frame.h"

namespace wvds::bench {
namespace {

constexpr auto kStartTimeout = std::chrono::seconds(10);

class EchoHandler : public channel::RequestHandler {
 public:
  explicit EchoHandler(const std::atomic<uint32_t>& answer_size) : answer_size_(answer_size) {}

  channel::Verdict handle(const channel::Request& request) override {
    const auto frame = protocol::RequestFrame::decode(request.area);
    if (!frame) return channel::Verdict::kInvalid;
    const uint32_t size = answer_size_.load(std::memory_order_relaxed);
    answer(frame->payload.in_place(), request.answer.subspan(protocol::kFrameHeaderSize, size));
    protocol::encode_answer_header(Status::kSuccess, size, request.answer.first<protocol::kFrameHeaderSize>());
    return channel::Verdict::kValid;
  }

  void answered() override {}
  void wasted_wakeup() override {}

 private:
  // answer reads every byte of the request and writes every byte of the answer.
  static void answer(Bytes payload, MutableBytes out) {
    const size_t common = std::min(payload.size(), out.size());
    if (common > 0) std::memcpy(out.data(), payload.data(), common);
    if (out.size() > common) std::memset(out.data() + common, 0x5a, out.size() - common);
    read_all(payload.subspan(common));
  }

  const std::atomic<uint32_t>& answer_size_;
};

class EchoFactory : public channel::SessionFactory {
 public:
  explicit EchoFactory(const std::atomic<uint32_t>& answer_size) : answer_size_(answer_size) {}
  Result<std::unique_ptr<channel::RequestHandler>> open(const channel::Peer&) override {
    return std::make_unique<EchoHandler>(answer_size_);
  }

 private:
  const std::atomic<uint32_t>& answer_size_;
};

std::atomic<channel::Endpoint*> g_endpoint{nullptr};

void stop_endpoint(int) {
  if (channel::Endpoint* endpoint = g_endpoint.load()) endpoint->stop();
}

void serve(const std::string& socket_path, uint32_t slots, const std::atomic<uint32_t>& answer_size) {
  EchoFactory factory(answer_size);
  channel::ListenOptions options;
  options.address = socket_path;
  options.slots = slots;
  options.epoch = 1;
  auto endpoint = channel::listen(options, factory);
  if (!endpoint) return;
  g_endpoint = endpoint->get();
  std::signal(SIGTERM, stop_endpoint);
  (void)(*endpoint)->run();
}

Result<std::unique_ptr<channel::ClientEnd>> connect_to(const std::string& path) {
  return channel::connect(path, platform::monotonic_now() + kStartTimeout);
}

}  // namespace

Result<std::unique_ptr<EchoProcess>> EchoProcess::start(const std::string& socket_path, uint32_t slots) {
  std::unique_ptr<EchoProcess> echo(new EchoProcess);
  void* shared =
      mmap(nullptr, sizeof(std::atomic<uint32_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return fail(Status::kOutOfMemory, "no shared memory for the hand-over process");
  echo->answer_size_ = new (shared) std::atomic<uint32_t>(0);
  echo->socket_path_ = socket_path;
  WVDS_ASSIGN(process, Process::fork_to_run([&] { serve(socket_path, slots, *echo->answer_size_); }));
  echo->process_ = std::move(process);
  const auto deadline = platform::monotonic_now() + kStartTimeout;
  while (!connect_to(socket_path)) {
    if (!echo->process_.running() || platform::monotonic_now() > deadline) {
      return fail(Status::kConnectFailed, "the hand-over process does not serve");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return echo;
}

EchoProcess::~EchoProcess() {
  process_.stop();
  if (answer_size_ != nullptr) munmap(answer_size_, sizeof *answer_size_);
}

Result<std::shared_ptr<channel::ClientEnd>> EchoProcess::connect() const {
  WVDS_ASSIGN(end, connect_to(socket_path_));
  return std::shared_ptr<channel::ClientEnd>(std::move(end));
}

}  // namespace wvds::bench
