#include "l4re/esttest/relay.h"

#include <array>
#include <cstdio>

#include "l4re/esttest/connection.h"

namespace wvds::test {
namespace {

constexpr uint32_t kConnectMs = 120'000;  // the service takes long to start where everything is emulated
constexpr uint32_t kTaskMs = 1'000;       // how long stopping may take
constexpr unsigned kReceiveMs = 1'000;    // as wvds_crypto.h wants it

wvds_est_event event_of(const wvds_est_task& task, uint32_t event, std::string_view bytes = {}) {
  return {event, task.connection, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

Relay::~Relay() {
  stopping_ = true;
  thread_.join();
}

void Relay::run() {
  wvds_session* session = nullptr;
  wvds_status status = wvds_connect(&session, "est", kConnectMs);
  wvds_est_event event{};
  while (status == WVDS_SUCCESS && !stopping_) {
    wvds_est_task task{};
    std::array<uint8_t, WVDS_EST_MAX_RELAY_SIZE> out;
    status = wvds_est_relay(session, &task, out.data(), out.size(), &event, kTaskMs);
    if (status != WVDS_SUCCESS) break;
    if (task.task == WVDS_EST_TASK_SEND) bytes_.assign(reinterpret_cast<const char*>(out.data()), task.len);
    event = carry_out(task);
  }
  if (!stopping_) std::printf("esttest: the relay ended: %s\n", wvds_status_text(status));
  wvds_disconnect(session);
}

wvds_est_event Relay::carry_out(const wvds_est_task& task) {
  const int number = static_cast<int>(task.connection);
  switch (task.task) {
    case WVDS_EST_TASK_CONNECT:
      std::printf("esttest: asked to connect to %s, port %u\n", task.host, static_cast<unsigned>(task.port));
      if (server_ == nullptr) return event_of(task, WVDS_EST_EVENT_FAILED, "there is no network");
      server_->serve(number);
      return event_of(task, WVDS_EST_EVENT_CONNECTED);
    case WVDS_EST_TASK_SEND: connection(number)->to_server.put(bytes_); return event_of(task, WVDS_EST_EVENT_SENT);
    case WVDS_EST_TASK_RECEIVE: {
      Pipe& pipe = connection(number)->to_client;
      bytes_ = pipe.take(task.len, kReceiveMs);
      if (!bytes_.empty()) return event_of(task, WVDS_EST_EVENT_RECEIVED, bytes_);
      return event_of(task, pipe.at_end() ? WVDS_EST_EVENT_ENDED : WVDS_EST_EVENT_NOTHING);
    }
    case WVDS_EST_TASK_CLOSE: connection(number)->to_server.end(); break;
    default: break;
  }
  return event_of(task, WVDS_EST_EVENT_NOTHING);
}

}  // namespace wvds::test
