#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/wvds/buffer.h"
#include "tools/wvds/outcome.h"
#include "wvds_crypto.h"

namespace wvds::tool {

// ServiceOptions are those of every command.
struct ServiceOptions {
  std::string socket;  // empty: the library's default
  uint32_t timeout_ms = 5000;
};

struct SessionEnd {
  void operator()(wvds_session* session) const { wvds_disconnect(session); }
};
using Session = std::unique_ptr<wvds_session, SessionEnd>;

// connect opens a session; every failure is Exit::kNoService.
Outcome<Session> connect(const ServiceOptions& options);

// connect_within keeps trying for `seconds` while nobody serves there yet.
Outcome<Session> connect_within(const ServiceOptions& options, uint32_t seconds);

// check turns the library's status into an outcome; `what` begins the message.
Outcome<> check(wvds_status status, const std::string& what);

// list_keys asks for the keys that this user may use, page by page, until there are at least `most` or no more. It
// waits out the rate limit.
Outcome<std::vector<wvds_key_entry>> list_keys(const Session& session, size_t most = SIZE_MAX);

// waiting_out calls `ask` again, after pauses, as long as it answers WVDS_RATE_LIMITED, at most for some seconds.
wvds_status waiting_out(const std::function<wvds_status()>& ask);

// find_key turns what the command line says into a key id: a number is the id, everything else a label, and
// "label:TEXT" a label in any case. A label that several keys have is refused.
Outcome<uint32_t> find_key(const Session& session, const std::string& name);

// NamedKey is a key of the service. Its algorithm is known where the name is a label; 0 where it is not.
struct NamedKey {
  uint32_t id = 0;
  wvds_algorithm algorithm = 0;
};

// find_named_key is find_key with the algorithm, as far as that is known without a further question.
Outcome<NamedKey> find_named_key(const Session& session, const std::string& name);

// PublicKey is a public key as an input: of a key in the service, or from a file whose bytes it keeps.
struct PublicKey {
  Buffer bytes;
  wvds_public_key key{};
  wvds_algorithm algorithm = 0;  // as in NamedKey
};

// load_public_key takes the one of the two that is not empty. The length of a raw key says its algorithm.
Outcome<PublicKey> load_public_key(const Session& session, const std::string& name, const std::string& file);

}  // namespace wvds::tool
