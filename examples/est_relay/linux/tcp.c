#define _POSIX_C_SOURCE 200809L
#include "examples/est_relay/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int failed(tcp_reason* why, const char* what, int error) {
  snprintf(why->text, sizeof why->text, "%s: %s", what, strerror(error));
  return 0;
}

/* wait_for waits for the socket to become ready: 1 ready, 0 not yet, -1 failed. */
static int wait_for(int handle, short events, uint32_t wait_ms) {
  struct pollfd ready = {handle, events, 0};
  const int count = poll(&ready, 1, (int)wait_ms);
  if (count < 0 && errno == EINTR) return 0;
  return count;
}

/* finish_connect waits until the connection is there or has failed. */
static int finish_connect(int handle, uint32_t wait_ms, tcp_reason* why) {
  int error = 0;
  socklen_t size = sizeof error;
  const int ready = wait_for(handle, POLLOUT, wait_ms);
  if (ready < 0) return failed(why, "poll", errno);
  if (ready == 0) return failed(why, "connect", ETIMEDOUT);
  if (getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 || failed(why, "connect", error);
}

static int connect_to(const struct addrinfo* address, uint32_t wait_ms, tcp_reason* why) {
  const int handle = socket(address->ai_family, SOCK_STREAM, 0);
  if (handle < 0) return failed(why, "socket", errno), -1;
  if (fcntl(handle, F_SETFL, O_NONBLOCK) == 0 && fcntl(handle, F_SETFD, FD_CLOEXEC) == 0) {
    if (connect(handle, address->ai_addr, address->ai_addrlen) == 0) return handle;
    if (errno == EINPROGRESS && finish_connect(handle, wait_ms, why)) return handle;
    if (errno != EINPROGRESS) failed(why, "connect", errno);
  }
  close(handle);
  return -1;
}

int tcp_connect(const char* host, uint32_t port, uint32_t wait_ms, tcp_reason* why) {
  struct addrinfo hints, *found = NULL;
  char service[8];
  int handle = -1;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  snprintf(service, sizeof service, "%u", (unsigned)(port & 0xffff));
  const int error = getaddrinfo(host, service, &hints, &found);
  if (error != 0) return snprintf(why->text, sizeof why->text, "name: %s", gai_strerror(error)), -1;
  for (const struct addrinfo* each = found; each != NULL && handle < 0; each = each->ai_next)
    handle = connect_to(each, wait_ms, why);
  freeaddrinfo(found);
  return handle;
}

int tcp_send(int handle, const uint8_t* bytes, size_t len, uint32_t wait_ms, tcp_reason* why) {
  while (len != 0) {
    const ssize_t count = send(handle, bytes, len, MSG_NOSIGNAL);
    if (count >= 0) {
      bytes += count;
      len -= (size_t)count;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (wait_for(handle, POLLOUT, wait_ms) == 0) return failed(why, "send", ETIMEDOUT);
    } else if (errno != EINTR) {
      return failed(why, "send", errno);
    }
  }
  return 1;
}

tcp_result tcp_receive(int handle, uint8_t* out, size_t* out_len, size_t max_out, uint32_t wait_ms, tcp_reason* why) {
  *out_len = 0;
  if (wait_for(handle, POLLIN, wait_ms) == 0) return TCP_NOTHING_YET;
  const ssize_t count = recv(handle, out, max_out, 0);
  if (count > 0) return *out_len = (size_t)count, TCP_BYTES;
  if (count == 0) return TCP_ENDED;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return TCP_NOTHING_YET;
  return failed(why, "receive", errno), TCP_FAILED;
}

void tcp_close(int handle) { close(handle); }

void tcp_pause(uint32_t milliseconds) { poll(NULL, 0, (int)milliseconds); }
