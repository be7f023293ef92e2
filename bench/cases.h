#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/algorithm.h"
#include "bench/variant.h"
#include "bench/world.h"

namespace wvds::bench {

// Effort is how much is measured in one run of a benchmark. A round goes through all variants, one after the other.
struct Effort {
  size_t requests = 64;  // a round and variant
  size_t rounds = 100;
  size_t placements = 1;  // sessions to go through, in each of (b) and (c): where in the machine's memory a
                          // region lies changes a hand-over by some hundred nanoseconds
};

// Definition is one operation of the table in docs/performance.md.
struct Definition {
  std::string name;
  Effort effort;
  std::function<Result<Case>(World&)> make;
};

std::vector<Definition> empty_call_definitions();
std::vector<Definition> aes_definitions();
std::vector<Definition> mldsa_definitions();
std::vector<Definition> mlkem_definitions();

// Those whose names begin with kSpeed have tables of their own.
inline constexpr std::string_view kSpeed = "speed/";
std::vector<Definition> throughput_definitions();
std::vector<Definition> one_processor_definitions();
std::vector<Definition> scale_definitions();

// CaseBuilder gives a case its variants, under the names that the reports use.
class CaseBuilder {
 public:
  // open connects a session to the service and one to the bare hand-over, for this case only.
  static Result<CaseBuilder> open(World& world);

  const SessionRef& session() const { return session_; }
  wvds_session* handle() const { return session_->handle(); }

  void in_process(CallVariant::Step call, CallVariant::Step after = {});                // "a"
  void hand_over();                                                                     // "b", "b_inplace"
  void simple(CallVariant::Step call, CallVariant::Step after = {});                    // "c"
  void in_place(wvds_operation operation, uint32_t key_id = 0, AnswerStep after = {});  // "c_inplace"
  void pipeline(wvds_operation operation, uint32_t key_id = 0, AnswerStep after = {});  // "d"
  void pipelined_hand_over();                                                           // "b_pipelined"
  void add(const std::string& name, std::unique_ptr<Variant> variant);                  // under a name of its own

  Case finish(std::function<Result<Request>()> fresh, std::shared_ptr<void> keeps = {});

 private:
  CaseBuilder(World& world, SessionRef session, EchoEnd echo_end)
      : world_(world), session_(std::move(session)), echo_end_(std::move(echo_end)) {}

  World& world_;
  SessionRef session_;
  EchoEnd echo_end_;
  Case case_;
};

// import_secret brings a raw AES key or a seed into the service, for the session; returns its id.
Result<uint32_t> import_secret(wvds_session* session, Algorithm algorithm, Usages usages, Bytes secret);

// sends hands bytes to the C API, which takes uint8_t.
inline const uint8_t* sends(Bytes bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }
inline uint8_t* receives(MutableBytes bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

// deletes_key is the AnswerStep of operations whose answer begins with the id of a new key.
AnswerStep deletes_key(SessionRef session);

}  // namespace wvds::bench
