#include "l4re/esttest/connection.h"

#include <openssl/bio.h>

#include <chrono>
#include <map>

#include "ca/stream.h"

namespace wvds::test {
namespace {

std::mutex g_mutex;
std::map<int, std::shared_ptr<Connection>> g_connections;

}  // namespace

void Pipe::put(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  bytes_.append(bytes);
  changed_.notify_all();
}

void Pipe::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::string Pipe::take(std::size_t most, unsigned milliseconds) {
  std::unique_lock lock(mutex_);
  const auto has_news = [this] { return !bytes_.empty() || ended_; };
  changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), has_news);
  std::string taken = bytes_.substr(0, most);
  bytes_.erase(0, taken.size());
  return taken;
}

bool Pipe::at_end() const {
  const std::lock_guard lock(mutex_);
  return ended_ && bytes_.empty();
}

std::shared_ptr<Connection> connection(int number) {
  const std::lock_guard lock(g_mutex);
  std::shared_ptr<Connection>& found = g_connections[number];
  if (!found) found = std::make_shared<Connection>();
  return found;
}

void forget(int number) {
  const std::lock_guard lock(g_mutex);
  g_connections.erase(number);
}

}  // namespace wvds::test

// The part of the EST server's Stream that on Linux knows sockets.
namespace wvds::est_ca {
namespace {

using test::Connection;

constexpr unsigned kWatchdogMs = 600'000;  // no peer takes so long unless something hangs

int read_bytes(BIO* bio, char* out, int size) {
  auto* connection = static_cast<Connection*>(BIO_get_data(bio));
  const std::string taken = connection->to_server.take(static_cast<std::size_t>(size), kWatchdogMs);
  taken.copy(out, taken.size());
  return static_cast<int>(taken.size());
}

int write_bytes(BIO* bio, const char* bytes, int size) {
  static_cast<Connection*>(BIO_get_data(bio))->to_client.put({bytes, static_cast<std::size_t>(size)});
  return size;
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* method() {
  static const std::unique_ptr<BIO_METHOD, Freer<BIO_meth_free>> made = [] {
    BIO_METHOD* raw = ensure(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection"), "transport");
    BIO_meth_set_read(raw, read_bytes);
    BIO_meth_set_write(raw, write_bytes);
    BIO_meth_set_ctrl(raw, control);
    return std::unique_ptr<BIO_METHOD, Freer<BIO_meth_free>>(raw);
  }();
  return made.get();
}

}  // namespace

Stream::Stream(int socket) : socket_(socket) {}

Stream::~Stream() {
  ssl_.reset();
  test::connection(socket_)->to_client.end();
  test::forget(socket_);
}

// The connection outlives the stream, whose thread holds it.
BIO* Stream::make_transport() const {
  BIO* bio = BIO_new(method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, test::connection(socket_).get());
  BIO_set_init(bio, 1);
  return bio;
}

std::size_t Stream::receive(char* out, std::size_t size) {
  const std::string taken = test::connection(socket_)->to_server.take(size, kWatchdogMs);
  return taken.copy(out, taken.size());
}

std::size_t Stream::send(std::string_view bytes) {
  test::connection(socket_)->to_client.put(bytes);
  return bytes.size();
}

void Stream::cut() {
  test::connection(socket_)->to_client.end();
  wait_for_close();
}

void Stream::reset() { ssl_.reset(); }

void Stream::wait_for_close() {
  const auto connection = test::connection(socket_);
  while (!connection->to_server.take(4096, kWatchdogMs).empty()) {
  }
}

bool Stream::pause(int milliseconds) {
  return test::connection(socket_)->to_server.take(0, static_cast<unsigned>(milliseconds)).empty();
}

}  // namespace wvds::est_ca
