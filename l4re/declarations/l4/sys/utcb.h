#pragma once

#include <l4/sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct l4_utcb_t l4_utcb_t;

typedef struct l4_msg_regs_t {
  l4_umword_t mr[1];
} l4_msg_regs_t;

typedef struct l4_buf_regs_t {
  l4_umword_t bdr;
  l4_umword_t br[2];
} l4_buf_regs_t;

l4_utcb_t* l4_utcb(void);
l4_msg_regs_t* l4_utcb_mr(void);
l4_msg_regs_t* l4_utcb_mr_u(l4_utcb_t* utcb);
l4_buf_regs_t* l4_utcb_br_u(l4_utcb_t* utcb);

#ifdef __cplusplus
}
#endif
