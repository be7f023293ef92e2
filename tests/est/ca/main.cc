// An EST server with a CA of its own, for tests: loopback or a Unix socket only. It reads commands from its standard
// input, one a line (control.h), and answers each with a line; "ready PORT" comes first. It ends with its input, with
// its parent, or on SIGTERM.

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>

#include "ca/control.h"

namespace wvds::est_ca {
namespace {

struct Options {
  AuthorityOptions authority;
  int port = 0;
  std::string http_socket;
  std::string settings = "{}";
  bool keep_running = false;
};

void parse(CLI::App& app, Options& options) {
  app.add_option("--folder", options.authority.folder, "where the CA keeps its files")->required();
  app.add_option("--name", options.authority.name, "common name of the CA");
  app.add_option("--algorithm", options.authority.algorithm, "the CA's keys: ML-DSA-44/65/87, P-256, P-384");
  app.add_flag("--issuing", options.authority.issuing, "issue from a CA below the root");
  app.add_option("--lifetime", options.authority.lifetime, "of CA certificates, in seconds");
  app.add_option("--port", options.port, "on 127.0.0.1; 0: any");
  app.add_option("--http-socket", options.http_socket, "serve HTTP without TLS on this Unix socket");
  app.add_option("--set", options.settings, "settings to begin with, in JSON");
  app.add_flag("--keep-running", options.keep_running, "go on when the standard input ends");
}

int end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// Lines takes lines out of what comes.
class Lines {
 public:
  // False at the end of the input.
  bool read() {
    char block[65536];
    const ssize_t got = ::read(STDIN_FILENO, block, sizeof block);
    if (got <= 0) return false;
    pending_.append(block, static_cast<std::size_t>(got));
    return true;
  }
  std::optional<std::string> next() {
    const std::size_t end = pending_.find('\n');
    if (end == std::string::npos) return std::nullopt;
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return line;
  }

 private:
  std::string pending_;
};

void loop(Listener& listener, Server& server, Control& control, const Options& options, int signals) {
  Lines lines;
  bool input = true;
  for (;;) {
    std::array<pollfd, 3> waiting = {
        {{.fd = signals, .events = POLLIN, .revents = 0},
         {.fd = input ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
         {.fd = listener.listening() ? listener.socket() : -1, .events = POLLIN, .revents = 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) return;
    if (waiting[1].revents != 0) {
      input = lines.read();
      if (!input && !options.keep_running) return;
      while (const auto line = lines.next()) say(control.command(*line));
    }
    if (waiting[2].revents == 0 || !listener.listening()) continue;
    if (const int socket = listener.accept(); socket >= 0) server.serve(socket, options.http_socket.empty());
  }
}

void run(const Options& options) {
  const int signals = end_signals();
  std::signal(SIGPIPE, SIG_IGN);
  Settings settings;
  settings.set(Json::parse(options.settings));
  Authority authority(options.authority, settings.time());
  std::ofstream(options.authority.folder + "/root.pem") << to_pem(authority.trusted().back().get());
  std::ofstream(options.authority.folder + "/other.pem") << to_pem(authority.published({"other"}).front().get());
  RequestLog log(options.authority.folder + "/requests");
  TlsServer tls(authority, settings, options.authority.folder);
  Listener listener =
      options.http_socket.empty() ? Listener::on_loopback(options.port) : Listener::on_path(options.http_socket);
  Server server(authority, settings, tls, log);
  Control control(authority, settings, tls, server, listener);
  listener.listen();
  say("ready " + std::to_string(options.http_socket.empty() ? listener.port() : 0));
  loop(listener, server, control, options, signals);
}

}  // namespace
}  // namespace wvds::est_ca

int main(int argc, char** argv) {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  CLI::App app("EST server with a CA of its own, for tests");
  wvds::est_ca::Options options;
  wvds::est_ca::parse(app, options);
  CLI11_PARSE(app, argc, argv);
  if (getppid() != parent) return 1;
  try {
    wvds::est_ca::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wvds_test_est_ca: %s\n", error.what());
    return 1;
  }
  return 0;
}
