#include "l4re/esttest/server.h"

#include <cstdio>
#include <stdexcept>

#include "ca/http.h"

namespace wvds::test {
namespace {

using est_ca::Json;

// The root's certificate and key are a boot module, root-0.pem: the device must know the certificate before.
est_ca::AuthorityOptions authority_options() { return {.folder = "/rom", .algorithm = "P-256"}; }

}  // namespace

Server::Server()
    : authority_(authority_options(), settings_.time()),
      operations_(authority_, settings_),
      tls_(authority_, settings_, "") {}

Server::~Server() = default;

void Server::serve(int number) {
  connection(number);
  threads_.emplace_back([this, number] { run(number); });
}

void Server::run(int number) try {
  const auto held = connection(number);
  est_ca::Stream stream(number);
  const std::string reason = stream.accept_tls(tls_.context(), settings_.time());
  if (reason.empty()) return answer_requests(stream);
  note("tls-failed " + reason);
} catch (const std::exception& error) {
  note(std::string("error ") + error.what());
}

void Server::answer_requests(est_ca::Stream& stream) {
  est_ca::RequestReader reader(stream);
  while (const auto request = reader.next()) {
    const est_ca::Peer peer{stream.version(), stream.group(), stream.peer_certificate(), stream.channel_binding()};
    Json entry = Json::object();
    const est_ca::HttpAnswer answer = operations_.answer(*request, peer, entry);
    note(entry.value("operation", "") + " " + entry.value("authenticated", "") + " " + std::to_string(answer.status) +
         " " + peer.version + " " + peer.group);
    std::uint64_t sent = 0;
    if (!est_ca::send_answer(stream, answer, request->keep_alive, sent)) return;
  }
}

void Server::note(const std::string& line) {
  std::printf("esttest: server: %s\n", line.c_str());
  const std::lock_guard lock(mutex_);
  log_.push_back(line);
}

std::vector<std::string> Server::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

}  // namespace wvds::test
