#pragma once

#include <cstdint>
#include <l4/re/dataspace>
#include <l4/sys/capability>
#include <l4/sys/cxx/ipc_iface>
#include <l4/sys/irq>
#include <l4/sys/semaphore>

// The two IPC interfaces of the service. ned gives each client a SessionFactoryGate of its own; everything else a
// client gets from it, so that the kernel notices when the client is gone.
namespace wvds::channel {

inline constexpr long kSessionProtocol = 0x5753;
inline constexpr long kSessionFactoryProtocol = 0x5746;

class SessionGate : public L4::Kobject_t<SessionGate, L4::Kobject, kSessionProtocol> {
 public:
  // serve returns when everything that the client has submitted is answered. Clients send it as a plain message of one
  // word, kServe (client_end.cc), because the deadline is theirs to choose.
  static constexpr L4::Opcode kServe = 0;
  L4_INLINE_RPC_OP(kServe, long, serve, ());

  // What a session shares with its client: the region (readable and writable), the service's doorbell (to trigger) and
  // the client's own (to wait on).
  L4_INLINE_RPC_OP(1, long, region, (L4::Ipc::Out<L4::Cap<L4Re::Dataspace>> region));
  L4_INLINE_RPC_OP(2, long, request_bell, (L4::Ipc::Out<L4::Cap<L4::Irq>> bell));
  L4_INLINE_RPC_OP(3, long, answer_bell, (L4::Ipc::Out<L4::Cap<L4::Semaphore>> bell));

  typedef L4::Typeid::Rpcs<serve_t, region_t, request_bell_t, answer_bell_t> Rpcs;
};

class SessionFactoryGate : public L4::Kobject_t<SessionFactoryGate, L4::Kobject, kSessionFactoryProtocol> {
 public:
  // open makes a session for clients of this layout version. A refusal is the negative sum of kRefused and a
  // wvds::Status; the gate comes with success only. Other negative numbers are the kernel's.
  static constexpr long kRefused = 0x1000;
  L4_INLINE_RPC(long, open, (l4_uint32_t layout_version, L4::Ipc::Out<L4::Cap<SessionGate>> gate));

  typedef L4::Typeid::Rpcs<open_t> Rpcs;
};

}  // namespace wvds::channel
