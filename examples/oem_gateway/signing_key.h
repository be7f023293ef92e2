#pragma once

#include <stdint.h>

#include "wvds_crypto.h"

/* signing_key_find gives the id of the ML-DSA-65 key that signs for `sender`; 0 when the service has none. */
wvds_status signing_key_find(wvds_session* session, uint32_t* out_key_id, const char* sender);

/* signing_key_make makes it: persistent, for signing only. The key never leaves the service. */
wvds_status signing_key_make(wvds_session* session, uint32_t* out_key_id, const char* sender);

/* signing_key_publish writes the raw public key to a file, for the backend to trust. Returns 1, or 0 after it said why
 * not. */
int signing_key_publish(wvds_session* session, uint32_t key_id, const char* path);
