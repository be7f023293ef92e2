#pragma once

#include <stddef.h>

#include "wvds_crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

struct header_sizes {
  size_t sealed, signature, ciphertext;
  size_t status, public_key, derivation, key_template, key_entry, key_version, key_details, service_state,
      capability_list, operation_metrics, key_use_metrics, metrics, stream_io, est_failure, est_certificate_state,
      est_state, est_task, est_event;
};

extern const struct header_sizes header_sizes_in_c;
int offers_nothing(const wvds_capability_list* offer);
int run_header_example(const char* address);

#ifdef __cplusplus
}
#endif
