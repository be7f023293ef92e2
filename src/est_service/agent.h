#pragma once

#include <memory>
#include <set>
#include <vector>

#include "est_service/board.h"
#include "est_service/credential_keeper.h"
#include "est_service/enroller.h"
#include "est_service/surroundings.h"
#include "est_service/trust_keeper.h"

namespace wvds::est_service {

// Agent does what est_service is for: it keeps the CA certificates and all certificates of the configuration, and puts
// their state up on the board. One thread; it knows no clock but the times it is given.
class Agent {
 public:
  // load reads what was saved. What can't be read is set aside under another name, and begins anew. What was read
  // stands on the board afterwards; `now` (Unix seconds, nothing where it is not known) judges it. `surroundings` and
  // `board` outlive the agent.
  static est::Outcome<std::unique_ptr<Agent>> load(Surroundings& surroundings, Board& board,
                                                   std::optional<int64_t> now);

  // step does what is due at `now` (Unix seconds; nothing where the clock was never set) and what is wished for, and
  // returns when it wants to be called next.
  int64_t step(std::optional<int64_t> now, const std::set<Wish>& wishes = {});

 private:
  explicit Agent(Board& board) : board_(board) {}

  bool clock_is_right(std::optional<int64_t> now);
  void follow_clock(int64_t now);
  void keep_trust(int64_t now, bool wished);
  void keep_certificates(int64_t now, const std::set<Wish>& wishes);
  void follow_hints(int64_t now);
  void publish(int64_t now);
  int64_t next_due(int64_t now) const;
  Enroller* find(const std::string& name) const;

  Board& board_;
  std::unique_ptr<TrustKeeper> trust_;
  std::unique_ptr<CredentialKeeper> credential_;
  std::vector<std::unique_ptr<Enroller>> enrollers_;
  std::optional<LastFailure> clock_failure_;
  int64_t hints_at_ = 0;  // when the server is asked for hints again
  uint64_t attempts_ = 0;
};

}  // namespace wvds::est_service
