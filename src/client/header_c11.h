#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct header_sizes {
  size_t sealed, signature, ciphertext;
  size_t status, public_key, derivation, key_template, key_entry, key_version, key_details, service_state,
      capability_list;
};

extern const struct header_sizes header_sizes_in_c;
int run_header_example(const char* address);

#ifdef __cplusplus
}
#endif
