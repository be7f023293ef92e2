#include "channel/linux/session.h"

#include <utility>

#include "channel/service_loop.h"

namespace wvds::channel {
namespace {

constexpr size_t kStackSize = size_t{256} * 1024;

SetupMessage message_of(SetupType type, Status status = Status::kSuccess) {
  return SetupMessage{type, status, kLayoutVersion, false};
}

}  // namespace

Session::Session(uint64_t id, SessionSetting& setting, platform::UniqueFd socket, LinuxPeer peer,
                 platform::TimePoint deadline)
    : id_(id), setting_(setting), socket_(std::move(socket)), peer_(std::move(peer)), deadline_(deadline) {}

Session::~Session() {
  stop();
  worker_.join();
  if (serving()) --setting_.serving;
}

Result<> Session::advance() {
  WVDS_ASSIGN(message, receive_setup(socket_.get()));
  if (!message) return {};
  if (message->status != Status::kSuccess || message->doorbell)
    return fail(Status::kProtocolError, "set-up message of a service");
  if (phase_ == Phase::kHello && message->type == SetupType::kHello) {
    if (message->version == kLayoutVersion) return offer();
    return refuse(message_of(SetupType::kOffer), Error{Status::kUnsupported, "client of another layout version"});
  }
  if (phase_ == Phase::kMapping && message->type == SetupType::kMapped && message->version == kLayoutVersion)
    return start();
  return fail(Status::kProtocolError, "set-up out of order");
}

Result<> Session::refuse(SetupMessage answer, Error error) {
  answer.status = error.status;
  (void)send_setup(socket_.get(), answer);
  return std::unexpected(std::move(error));
}

Result<> Session::offer() {
  auto handler = setting_.factory.open(peer_.peer);
  if (!handler) return refuse(message_of(SetupType::kOffer), std::move(handler.error()));
  handler_ = std::move(*handler);
  auto memory = SharedMemory::create(region_size(setting_.slots));
  if (!memory) return refuse(message_of(SetupType::kOffer), std::move(memory.error()));
  memory_ = std::move(*memory);
  write_header(memory_.base(), setting_.slots, setting_.epoch);
  auto waiter = make_service_waiter(setting_.waiting, Region(memory_.base(), setting_.slots));
  if (!waiter) return refuse(message_of(SetupType::kOffer), std::move(waiter.error()));
  waiter_ = std::move(*waiter);
  phase_ = Phase::kMapping;
  SetupMessage answer = message_of(SetupType::kOffer);
  answer.doorbell = waiter_->doorbell() >= 0;
  const int fds[kMaxSetupFds] = {memory_.fd(), waiter_->doorbell()};
  return send_setup(socket_.get(), answer, std::span(fds).first(answer.doorbell ? 2 : 1));
}

Result<> Session::start() {
  if (auto sealed = memory_.seal_for_good(); !sealed) {
    return refuse(message_of(SetupType::kReady), Error{Status::kDenied, std::move(sealed.error().detail)});
  }
  auto worker = platform::Thread::start("wvds-session", kStackSize, [this] { work(); });
  if (!worker) return refuse(message_of(SetupType::kReady), std::move(worker.error()));
  worker_ = std::move(*worker);
  phase_ = Phase::kServing;
  ++setting_.serving;
  // a client that is gone by now is noticed by its socket
  (void)send_setup(socket_.get(), message_of(SetupType::kReady));
  return {};
}

void Session::end(bool wipe) {
  if (phase_ != Phase::kServing) return;
  if (wipe) wipe_ = true;
  waiter_->stop();
}

void Session::work() {
  ServiceLoop(Region(memory_.base(), setting_.slots), *handler_, *waiter_, setting_.budget).run();
  if (wipe_) memory_.wipe();
  handler_.reset();
  setting_.worker_ended(id_);
}

}  // namespace wvds::channel
