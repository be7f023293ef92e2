#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned char l4_uint8_t;
typedef short l4_int16_t;
typedef unsigned short l4_uint16_t;
typedef unsigned int l4_uint32_t;
typedef unsigned long long l4_uint64_t;
typedef long l4_mword_t;
typedef unsigned long l4_umword_t;
typedef unsigned long l4_addr_t;
typedef unsigned long l4_size_t;
typedef unsigned long l4_cap_idx_t;
typedef l4_uint64_t l4_cpu_time_t;
typedef l4_int16_t l4_ret_t;
typedef l4_int16_t l4_proto_t;

extern const l4_cap_idx_t L4_CAP_SHIFT;
extern const l4_cap_idx_t L4_INVALID_CAP;
extern const l4_umword_t L4_SYSF_REPLY;

enum { L4_CAP_FPAGE_R, L4_CAP_FPAGE_RO, L4_CAP_FPAGE_W, L4_CAP_FPAGE_S };
enum { L4_CAP_FPAGE_RW, L4_CAP_FPAGE_RS, L4_CAP_FPAGE_RWS };
enum { L4_RCV_ITEM_SINGLE_CAP };

// What the kernel returns and takes beside a message's words
typedef struct l4_msgtag_t {
  l4_mword_t raw;
#ifdef __cplusplus
  long label() const noexcept;
  unsigned words() const noexcept;
  unsigned items() const noexcept;
  bool has_error() const noexcept;
#endif
} l4_msgtag_t;

l4_msgtag_t l4_msgtag(long label, unsigned words, unsigned items, unsigned flags);

typedef struct l4_timeout_s {
  l4_uint16_t t;
} l4_timeout_s;

typedef struct l4_timeout_t {
  l4_uint32_t raw;
} l4_timeout_t;

extern const l4_timeout_s L4_IPC_TIMEOUT_NEVER;
extern const l4_timeout_t L4_IPC_NEVER;
extern const l4_timeout_t L4_IPC_SEND_TIMEOUT_0;

l4_timeout_s l4_timeout_from_us(l4_uint64_t us);
l4_timeout_t l4_timeout(l4_timeout_s send, l4_timeout_s receive);

#ifdef __cplusplus
}
#endif
