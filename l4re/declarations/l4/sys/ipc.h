#pragma once

#include <l4/sys/err.h>
#include <l4/sys/types.h>
#include <l4/sys/utcb.h>

#ifdef __cplusplus
extern "C" {
#endif

l4_msgtag_t l4_ipc_call(l4_cap_idx_t object, l4_utcb_t* utcb, l4_msgtag_t tag, l4_timeout_t timeout);
l4_msgtag_t l4_ipc_send(l4_cap_idx_t object, l4_utcb_t* utcb, l4_msgtag_t tag, l4_timeout_t timeout);
l4_msgtag_t l4_ipc_wait(l4_utcb_t* utcb, l4_umword_t* label, l4_timeout_t timeout);
l4_msgtag_t l4_ipc_reply_and_wait(l4_utcb_t* utcb, l4_msgtag_t tag, l4_umword_t* label, l4_timeout_t timeout);
l4_msgtag_t l4_ipc_sleep_us(l4_uint64_t us);
l4_ret_t l4_error(l4_msgtag_t tag);

#ifdef __cplusplus
}
#endif
