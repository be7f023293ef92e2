#pragma once

#include <l4/sys/kip.h>
#include <l4/sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

const l4_kernel_info_t* l4re_kip(void);

#ifdef __cplusplus
}
#endif
