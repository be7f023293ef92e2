#pragma once

/* What the relay needs of the network. linux/tcp.c has it for Linux; a port to another system replaces that file. */
#include <stddef.h>
#include <stdint.h>

/* Why something failed, as one line of text. */
typedef struct tcp_reason {
  char text[128];
} tcp_reason;

/* tcp_connect connects within wait_ms and returns the connection's handle, or -1. */
int tcp_connect(const char* host, uint32_t port, uint32_t wait_ms, tcp_reason* why);

/* tcp_send sends all bytes, each part of them within wait_ms. Returns 1, or 0. */
int tcp_send(int handle, const uint8_t* bytes, size_t len, uint32_t wait_ms, tcp_reason* why);

typedef enum tcp_result { TCP_BYTES, TCP_NOTHING_YET, TCP_ENDED, TCP_FAILED } tcp_result;

/* tcp_receive waits at most wait_ms for 1 to max_out bytes. */
tcp_result tcp_receive(int handle, uint8_t* out, size_t* out_len, size_t max_out, uint32_t wait_ms, tcp_reason* why);

void tcp_close(int handle);

void tcp_pause(uint32_t milliseconds);
