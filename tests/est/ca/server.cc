#include "ca/server.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

namespace wvds::est_ca {
namespace {

// %41 and so on; nginx writes certificates in this way ($ssl_client_escaped_cert)
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

Peer peer_of(const Stream& stream) {
  return {stream.version(), stream.group(), stream.peer_certificate(), stream.channel_binding()};
}

// Who the client is, as the server in front says it
Peer peer_in_front(const HttpRequest& request) {
  Peer peer{request.header("x-ssl-protocol"), request.header("x-ssl-curve"), nullptr, {}};
  if (request.header("x-ssl-client-verify") == "SUCCESS") {
    peer.certificate = certificate_from_pem(unescaped(request.header("x-ssl-client-cert")));
  }
  return peer;
}

constexpr std::string_view kGarbage = "\x7f\x45\x4c\x46 this is not TLS\r\n\r\n";

}  // namespace

Server::~Server() {
  end_connections();
  workers_.clear();
}

void Server::end_connections() {
  const std::lock_guard lock(mutex_);
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

void Server::forget_finished() {
  workers_.remove_if([](const Worker& worker) { return worker.done.load(); });
}

// The socket is known before its thread runs, so that none escapes end_connections.
void Server::serve(int socket, bool with_tls) {
  forget_finished();
  {
    const std::lock_guard lock(mutex_);
    sockets_.insert(socket);
  }
  Worker& worker = workers_.emplace_back();
  worker.thread = std::jthread([this, socket, with_tls, &worker] {
    run(socket, with_tls);
    worker.done = true;
  });
}

void Server::run(int socket, bool with_tls) {
  Stream stream(socket);
  try {
    if (begin(stream, with_tls)) answer_requests(stream, with_tls);
  } catch (const std::exception& error) {
    log_.write({{"event", "error"}, {"reason", error.what()}});
  }
  ERR_clear_error();
  const std::lock_guard lock(mutex_);
  sockets_.erase(socket);  // before the stream closes it
}

// Faults of a connection: "close", "reset", "stall", "garbage" right away; "close-after-hello";
// "close-after-handshake".
bool Server::begin(Stream& stream, bool with_tls) {
  const std::string fault = settings_.answer_for("connection").at("fault");
  if (!fault.empty()) log_.write({{"event", "fault"}, {"fault", fault}});
  if (fault == "stall") stream.wait_for_close();
  if (fault == "garbage" && stream.write(kGarbage)) stream.close();
  if (fault == "close-after-hello") {
    char hello[16];
    stream.read(hello, sizeof hello);
  }
  if (fault == "reset") stream.reset();
  if (fault.starts_with("close") && fault != "close-after-handshake") stream.cut();
  if (!fault.empty() && fault != "close-after-handshake") return false;
  if (with_tls) {
    if (const std::string reason = stream.accept_tls(tls_.context(), settings_.time()); !reason.empty()) {
      log_.write({{"event", "tls-failed"}, {"reason", reason}});
      stream.cut();  // a reset could overtake the alert
      return false;
    }
  }
  if (fault.empty()) return true;
  stream.close();
  return false;
}

void Server::answer_requests(Stream& stream, bool with_tls) {
  RequestReader reader(stream);
  while (const auto request = reader.next()) {
    const Peer peer = with_tls ? peer_of(stream) : peer_in_front(*request);
    const std::uint64_t number = log_.next_number();
    Json entry = {{"event", "request"}, {"number", number}};
    const HttpAnswer answer = operations_.answer(*request, peer, entry);
    log_.write(std::move(entry));
    std::uint64_t sent = 0;
    const bool goes_on = send_answer(stream, answer, request->keep_alive, sent);
    log_.write({{"event", "answered"}, {"number", number}, {"bytes", sent}});
    if (!goes_on) return;
  }
}

}  // namespace wvds::est_ca
