/* A relay for est_service where it has no network of its own: on L4Re, or with "transport": "relay" in config.json. It
 * connects for est_service and carries TLS bytes, which it can neither read nor change unseen.
 *
 *     est_relay [SOCKET]
 *
 * It runs until it is stopped, also when est_service is not there yet or is restarted. */
#include <stdio.h>
#include <string.h>

#include "examples/est_relay/tcp.h"
#include "wvds_crypto.h"

enum {
  MAX_CONNECTIONS = 8,
  CONNECT_MS = 20000,
  SEND_MS = 20000,
  RECEIVE_MS = 1000, /* not longer: est_service may have given the connection up */
  TASK_MS = 60000,
  RETRY_MS = 1000
};

typedef struct connection {
  uint32_t number; /* est_service's; 0: this place is free */
  int handle;
} connection;

typedef struct relay {
  connection connections[MAX_CONNECTIONS];
  uint8_t bytes[WVDS_EST_MAX_RELAY_SIZE];
  tcp_reason why;
} relay;

static connection* find(relay* self, uint32_t number) {
  for (size_t i = 0; i < MAX_CONNECTIONS; ++i) {
    if (self->connections[i].number == number) return &self->connections[i];
  }
  return NULL;
}

static void forget(connection* each) {
  if (each == NULL || each->number == 0) return;
  tcp_close(each->handle);
  each->number = 0;
}

static void forget_all(relay* self) {
  for (size_t i = 0; i < MAX_CONNECTIONS; ++i) forget(&self->connections[i]);
}

static uint32_t open_connection(relay* self, const wvds_est_task* task) {
  connection* place = find(self, 0);
  strcpy(self->why.text, "too many connections");
  if (place == NULL) return WVDS_EST_EVENT_FAILED;
  place->handle = tcp_connect(task->host, task->port, CONNECT_MS, &self->why);
  if (place->handle < 0) return WVDS_EST_EVENT_FAILED;
  place->number = task->connection;
  return WVDS_EST_EVENT_CONNECTED;
}

static uint32_t receive(relay* self, int handle, size_t* len) {
  switch (tcp_receive(handle, self->bytes, len, *len, RECEIVE_MS, &self->why)) {
    case TCP_BYTES: return WVDS_EST_EVENT_RECEIVED;
    case TCP_NOTHING_YET: return WVDS_EST_EVENT_NOTHING;
    case TCP_ENDED: return WVDS_EST_EVENT_ENDED;
    case TCP_FAILED: break;
  }
  return WVDS_EST_EVENT_FAILED;
}

/* carry_out does one task and says what came of it. */
static uint32_t carry_out(relay* self, const wvds_est_task* task, size_t* len) {
  connection* known = task->connection == 0 ? NULL : find(self, task->connection);
  if (task->task == WVDS_EST_TASK_CONNECT) return open_connection(self, task);
  if (task->task == WVDS_EST_TASK_CLOSE) forget(known);
  if (task->task != WVDS_EST_TASK_SEND && task->task != WVDS_EST_TASK_RECEIVE) return WVDS_EST_EVENT_NOTHING;
  strcpy(self->why.text, "no such connection");
  if (known == NULL) return WVDS_EST_EVENT_FAILED;
  if (task->task == WVDS_EST_TASK_RECEIVE) {
    *len = task->len;
    return receive(self, known->handle, len);
  }
  const int is_sent = tcp_send(known->handle, self->bytes, task->len, SEND_MS, &self->why);
  return is_sent ? WVDS_EST_EVENT_SENT : WVDS_EST_EVENT_FAILED;
}

static wvds_est_event report(relay* self, const wvds_est_task* task) {
  wvds_est_event event = {WVDS_EST_EVENT_NOTHING, task->connection, NULL, 0};
  size_t received = 0;
  event.event = carry_out(self, task, &received);
  if (event.event == WVDS_EST_EVENT_RECEIVED) event.bytes = self->bytes, event.len = received;
  if (event.event == WVDS_EST_EVENT_FAILED) {
    event.bytes = (const uint8_t*)self->why.text;
    event.len = strlen(self->why.text);
    fprintf(stderr, "est_relay: connection %u: %s\n", (unsigned)task->connection, self->why.text);
  }
  return event;
}

/* serve relays until the session fails, and returns why. */
static wvds_status serve(relay* self, wvds_session* session) {
  wvds_est_event event = {WVDS_EST_EVENT_NOTHING, 0, NULL, 0};
  wvds_est_task task;
  wvds_status status;
  for (;;) {
    status = wvds_est_relay(session, &task, self->bytes, sizeof self->bytes, &event, TASK_MS);
    if (status == WVDS_RATE_LIMITED) {
      tcp_pause(RETRY_MS); /* and with the same event again */
    } else if (status != WVDS_SUCCESS) {
      break;
    } else {
      event = report(self, &task);
    }
  }
  forget_all(self);
  return status;
}

int main(int argc, char** argv) {
  static relay self;
  const char* address = argc > 1 ? argv[1] : "/run/wvds/est.sock";
  wvds_status said = WVDS_SUCCESS;
  if (argc > 2) return fprintf(stderr, "usage: est_relay [SOCKET]\n"), 2;
  for (;;) {
    wvds_session* session = NULL;
    wvds_status status = wvds_connect(&session, address, WVDS_DEFAULT_TIMEOUT);
    if (status == WVDS_SUCCESS) {
      printf("relaying for %s\n", address);
      (void)fflush(stdout); /* the relay serves also when nobody reads that */
      status = serve(&self, session);
    }
    wvds_disconnect(session);
    if (status != said) fprintf(stderr, "est_relay: %s\n", wvds_status_text(status));
    if (status == WVDS_INVALID_TYPE) return 1; /* this is no est_service */
    said = status;
    tcp_pause(RETRY_MS);
  }
}
