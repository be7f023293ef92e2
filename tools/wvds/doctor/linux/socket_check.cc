// The socket, the process behind it, and how much memory that may lock.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "platform/linux/unique_fd.h"
#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/doctor/judge.h"

namespace wvds::tool {
namespace {

constexpr const char* kDefaultSocket = "/run/wvds/crypto.sock";  // of wvds_connect
constexpr Daemon kCryptoService{"socket", "wvds_crypto_service", "socket"};
constexpr uint32_t kServiceManager = 1;  // socket activation: it made the socket, and is not the service

// try_connect returns 0, or why there is no connection.
int try_connect(const std::string& path, ucred& peer) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const platform::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  const bool is_connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!is_connected) return errno;
  socklen_t length = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? 0 : errno;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string how_to_start(const Daemon& daemon) {
  return std::string("start it (") + daemon.program +
         " --config FILE, or its unit); where it does not come up, its log says why";
}

void add_missing(Findings& findings, const Daemon& daemon, const std::string& path) {
  const std::string folder = folder_of(path);
  if (::access(folder.c_str(), F_OK) != 0 && errno == ENOENT) {
    return findings.problem(daemon.check, folder + ": the socket's folder is not there, so the service can't start",
                            "install -d -m 755 -o USER (the service's) " + folder);
  }
  findings.problem(daemon.check, path + " is not there: the service does not run", how_to_start(daemon));
}

void add_unreached(Findings& findings, const Daemon& daemon, const std::string& path, int cause) {
  switch (cause) {
    case ENOENT: return add_missing(findings, daemon, path);
    case EACCES:
    case EPERM:
      return findings.problem(daemon.check, path + " is not for this user, " + std::to_string(::geteuid()),
                              std::string("add the user to the socket's group, or change ") + daemon.setting +
                                  ".mode or the folder's mode");
    case ECONNREFUSED:
      return findings.problem(daemon.check, path + ": nobody listens there; the service has ended",
                              how_to_start(daemon));
    case EAGAIN:
      return findings.problem(daemon.check, path + ": the service accepts nobody at the moment",
                              "look into its log; restart it if it hangs");
    default:
      return findings.problem(
          daemon.check, path + ": " + std::strerror(cause),
          std::string("name the service's socket with --socket, or correct ") + daemon.setting + ".path");
  }
}

// memory_limit_of reads the soft limit of a process; nothing for "unlimited". False where it can't be seen.
bool memory_limit_of(uint32_t process, std::optional<uint64_t>& limit) {
  std::ifstream limits("/proc/" + std::to_string(process) + "/limits");
  for (std::string line; std::getline(limits, line);) {
    constexpr std::string_view kName = "Max locked memory";
    if (!line.starts_with(kName)) continue;
    std::string value;
    std::istringstream(line.substr(kName.size())) >> value;
    if (value != "unlimited") limit = std::stoull(value);
    return true;
  }
  return false;
}

}  // namespace

bool look_at_socket(Findings& findings, const Daemon& daemon, const std::string& path,
                    std::optional<SocketPeer>& peer) {
  ucred found{};
  if (const int cause = try_connect(path, found); cause != 0) {
    add_unreached(findings, daemon, path, cause);
    return false;
  }
  findings.ok(daemon.check, path + " is served");
  const bool is_known = found.pid > 0 && static_cast<uint32_t>(found.pid) != kServiceManager;
  if (is_known) peer = SocketPeer{found.uid, found.gid, static_cast<uint32_t>(found.pid)};
  return true;
}

void check_socket(Examination& exam) {
  exam.socket_path = exam.service.socket;
  if (exam.socket_path.empty()) exam.socket_path = exam.config ? exam.config->socket.path : kDefaultSocket;
  exam.service.socket = exam.socket_path;
  std::optional<SocketPeer> peer;
  exam.is_served = look_at_socket(exam.findings, kCryptoService, exam.socket_path, peer);
  if (!peer) return;
  exam.service_user = peer->user;
  exam.service_process = peer->process;
}

void check_locked_memory(Examination& exam) {
  if (!exam.config) return exam.findings.not_checked("locked memory", "the configuration could not be read");
  std::optional<uint64_t> limit;
  if (exam.service_process && memory_limit_of(*exam.service_process, limit)) {
    const bool is_exempt = exam.service_user == 0u;  // with CAP_IPC_LOCK; status tells if it was not
    return exam.findings.add(judge_locked_memory(exam.config->locked_memory, limit, is_exempt));
  }
  if (exam.service_process) {
    return exam.findings.not_checked(
        "locked memory", "the limits of process " + std::to_string(*exam.service_process) + " can't be seen",
        run_as(exam));
  }
  exam.findings.not_checked("locked memory", "the limit that counts is that of the running service",
                            "start the service");
}

}  // namespace wvds::tool
