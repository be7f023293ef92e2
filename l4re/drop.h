#pragma once

#include <l4/re/dataspace>
#include <l4/sys/capability>
#include <l4/sys/cxx/ipc_iface>

namespace wvds::test {

// Drop is how the hostile task hands its session's region to an accomplice before it ends, so that the self-test can
// look at what is left in it.
struct Drop : L4::Kobject_t<Drop, L4::Kobject, 0x5744, L4::Type_info::Demand_t<1>> {
  L4_INLINE_RPC(long, take, (L4::Ipc::Cap<L4Re::Dataspace> region));
  typedef L4::Typeid::Rpcs<take_t> Rpcs;
};

}  // namespace wvds::test
