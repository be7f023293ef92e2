#pragma once

#include <l4/sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct l4_kernel_info_t l4_kernel_info_t;

l4_cpu_time_t l4_kip_clock(const l4_kernel_info_t* kip);
const char* l4_kip_version_string(const l4_kernel_info_t* kip);

#ifdef __cplusplus
}
#endif
