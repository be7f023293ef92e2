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
constexpr const char* kStart =
    "start it (wvds_crypto_service --config FILE, or its unit); where it does not come up, its log says why";
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

void add_missing(Examination& exam) {
  const std::string& path = exam.socket_path;
  const std::string folder = folder_of(path);
  if (::access(folder.c_str(), F_OK) != 0 && errno == ENOENT) {
    return exam.findings.problem("socket", folder + ": the socket's folder is not there, so the service can't start",
                                 "install -d -m 755 -o USER (the service's) " + folder);
  }
  exam.findings.problem("socket", path + " is not there: the service does not run", kStart);
}

void add_forbidden(Examination& exam) {
  exam.findings.problem("socket", exam.socket_path + " is not for this user, " + std::to_string(::geteuid()),
                        "add the user to the socket's group, or change socket.mode or the folder's mode");
}

void add_unreached(Examination& exam, int cause) {
  const std::string& path = exam.socket_path;
  switch (cause) {
    case ENOENT: return add_missing(exam);
    case EACCES:
    case EPERM: return add_forbidden(exam);
    case ECONNREFUSED:
      return exam.findings.problem("socket", path + ": nobody listens there; the service has ended", kStart);
    case EAGAIN:
      return exam.findings.problem("socket", path + ": the service accepts nobody at the moment",
                                   "look into its log; restart it if it hangs");
    default:
      return exam.findings.problem("socket", path + ": " + std::strerror(cause),
                                   "name the service's socket with --socket, or correct socket.path");
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

void check_socket(Examination& exam) {
  exam.socket_path = exam.service.socket;
  if (exam.socket_path.empty()) exam.socket_path = exam.config ? exam.config->socket.path : kDefaultSocket;
  exam.service.socket = exam.socket_path;
  ucred peer{};
  const int cause = try_connect(exam.socket_path, peer);
  if (cause != 0) return add_unreached(exam, cause);
  exam.findings.ok("socket", exam.socket_path + " is served");
  exam.is_served = true;
  const bool is_known = peer.pid > 0 && static_cast<uint32_t>(peer.pid) != kServiceManager;
  if (!is_known) return;
  exam.service_user = peer.uid;
  exam.service_process = static_cast<uint32_t>(peer.pid);
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
