#pragma once

/* What gateway and backend share in their use of the service. */
#include <stdint.h>

#include "wvds_crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exit statuses of both programs. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_SERVICE = 3 };

/* service_connect connects to the socket `address` (NULL: the library's default). On failure it returns NULL after it
 * said why. */
wvds_session* service_connect(const char* address);

/* What a program will ask of the service. */
typedef struct service_needs {
  const wvds_operation* operations;
  size_t num_operations;
  const wvds_algorithm* algorithms;
  size_t num_algorithms;
} service_needs;

/* service_offers is 1 when the service offers this caller everything that it needs. Otherwise it says what is missing,
 * and what the operator can do about it. Ask before anything is done: half of a job is worse than none. */
int service_offers(wvds_session* session, const service_needs* needs);

/* service_may_repeat tells whether a request that ended with `status` is worth sending again: the service refused it
 * because there were too many. It waits before it says so, and gives up after `*tries` reached its bound. Use:
 *     int tries = 0;
 *     do status = wvds_...(...); while (service_may_repeat(status, &tries)); */
int service_may_repeat(wvds_status status, int* tries);

/* service_find_key looks for the caller's key with this algorithm and label; *out_key_id is 0 when there is none. */
wvds_status service_find_key(wvds_session* session, uint32_t* out_key_id, wvds_algorithm algorithm, const char* label);

/* service_delete_key deletes a key that is no longer needed. It repeats like the above; that it failed is said on
 * standard error, and a session key then ends with the session. */
void service_delete_key(wvds_session* session, uint32_t key_id);

#ifdef __cplusplus
}
#endif
