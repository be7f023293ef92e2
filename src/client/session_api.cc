#include "channel/connect.h"
#include "client/arguments.h"
#include "client/default_address.h"
#include "client/guard.h"
#include "client/session.h"

using namespace wvds;
using namespace wvds::client;

wvds_status wvds_connect(wvds_session** out_session, const char* address, uint32_t timeout_ms) {
  clear(out_session);
  return guard([&]() -> Result<> {
    WVDS_TRY(client::require(out_session != nullptr));
    return open_session(out_session, address != nullptr ? address : default_address(), &channel::connect, timeout_ms);
  });
}

wvds_status wvds_disconnect(wvds_session* session) {
  return guard([&]() -> Result<> {
    if (session == nullptr) return {};
    WVDS_TRY(session_of(session));
    close_session(session);
    return {};
  });
}

wvds_status wvds_reconnect(wvds_session* session, uint32_t timeout_ms) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    return live->connect(timeout_ms);
  });
}

wvds_status wvds_epoch(wvds_session* session, uint64_t* out_epoch) {
  clear(out_epoch);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(client::require(out_epoch != nullptr));
    *out_epoch = live->epoch();
    return {};
  });
}

wvds_status wvds_set_timeout(wvds_session* session, uint32_t timeout_ms) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    return live->set_timeout(timeout_ms);
  });
}
