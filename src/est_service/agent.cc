#include "est_service/agent.h"

#include <algorithm>

#include "base/log.h"
#include "est/schedule.h"
#include "est_service/build_time.h"

namespace wvds::est_service {
namespace {

using est::FailureKind;
using est::Outcome;

constexpr int64_t kHintlessInterval = 86400;  // until a server without renewal hints is asked again
constexpr int64_t kClockCheck = 60;           // until a clock that was wrong is looked at again

// read_or_set_aside gives an empty state for a damaged one: the device shall get a certificate again without a person,
// and who wants to know what happened finds the file. One that could not be read (too few descriptors, say) may be
// whole, and stays.
template <class State>
Outcome<State> read_or_set_aside(std::expected<State, Unread> read, const std::function<Outcome<>()>& set_aside) {
  if (read) return std::move(*read);
  if (!read.error().damaged) return est::failed(FailureKind::kStorage, read.error().detail);
  log_error("state can't be read: set aside, and begun anew", {{"cause", read.error().detail}});
  if (const auto moved = set_aside(); !moved) return std::unexpected(moved.error());
  return State{};
}

std::string clock_text(est::ClockJudgement judgement, int64_t now) {
  const std::string time = est::time_text(now);
  if (judgement == est::ClockJudgement::kAhead) return "the clock says " + time + ", which is too far in the future";
  return "the clock says " + time + ", which has been before";
}

}  // namespace

Outcome<std::unique_ptr<Agent>> Agent::load(Surroundings& surroundings, Board& board, std::optional<int64_t> now) {
  std::unique_ptr<Agent> agent(new Agent(board));
  auto trust = read_or_set_aside<TrustState>(surroundings.folder.read_trust(),
                                             [&] { return surroundings.folder.set_trust_aside(); });
  if (!trust) return std::unexpected(trust.error());
  agent->trust_ = std::make_unique<TrustKeeper>(surroundings, std::move(*trust));
  agent->credential_ = std::make_unique<CredentialKeeper>(surroundings, *agent->trust_);
  for (const config::EstCertificate& wanted : surroundings.config.certificates) {
    auto state = read_or_set_aside<CertificateState>(surroundings.folder.read_certificate(wanted.name), [&] {
      return surroundings.folder.set_certificate_aside(wanted.name);
    });
    if (!state) return std::unexpected(state.error());
    agent->enrollers_.push_back(std::make_unique<Enroller>(
        surroundings, wanted, *agent->trust_,
        [found = agent.get()](const std::string& name) { return found->find(name); }, std::move(*state)));
  }
  agent->publish(now.value_or(0));
  return agent;
}

Enroller* Agent::find(const std::string& name) const {
  const auto at = std::ranges::find_if(enrollers_, [&](const auto& enroller) { return enroller->name() == name; });
  return at == enrollers_.end() ? nullptr : at->get();
}

int64_t Agent::step(std::optional<int64_t> now, const std::set<Wish>& wishes) {
  const int64_t time = now.value_or(0);
  if (!clock_is_right(now)) {
    attempts_ += wishes.size();
    publish(time);
    return time + kClockCheck;
  }
  follow_clock(time);
  keep_trust(time, wishes.contains(Wish{"", false}) || wishes.contains(Wish{"", true}));
  keep_certificates(time, wishes);
  if (time >= credential_->due()) credential_->step(time);
  follow_hints(time);
  publish(time);
  return next_due(time);
}

// A wrong clock judges every certificate wrongly, the server's too: nothing is tried, and that is said.
bool Agent::clock_is_right(std::optional<int64_t> now) {
  const auto judgement =
      now ? est::judge_clock(*now, build_time(), trust_->state().last_seen) : est::ClockJudgement::kBehind;
  if (judgement == est::ClockJudgement::kPlausible) {
    if (clock_failure_) log_info("the clock is right again");
    clock_failure_.reset();
    return true;
  }
  const std::string detail = now ? clock_text(judgement, *now) : "the clock was never set";
  if (!clock_failure_) log_error("the clock is wrong: no certificate can be judged", {{"cause", detail}});
  clock_failure_ = LastFailure::of({FailureKind::kClock, detail}, now.value_or(0));
  return false;
}

// A clock that was ahead for a while made plans for a time that is far away now.
void Agent::follow_clock(int64_t now) {
  trust_->follow_clock(now);
  credential_->follow_clock(now);
  for (const auto& enroller : enrollers_) enroller->follow_clock(now);
  hints_at_ = std::min(hints_at_, now + kHintlessInterval);
}

// The server is asked with the first certificate that can authenticate, where there is one.
void Agent::keep_trust(int64_t now, bool wished) {
  if (!wished && now < trust_->due()) return;
  std::optional<Identity> identity;
  for (const auto& enroller : enrollers_) {
    if (auto found = enroller->identity(now); found && crypto::can_sign(found->key.get())) {
      identity = std::move(*found);
      break;
    }
  }
  (void)trust_->refresh(identity ? &*identity : nullptr, now);  // noted in its state
  ++attempts_;
}

void Agent::keep_certificates(int64_t now, const std::set<Wish>& wishes) {
  for (const auto& enroller : enrollers_) {
    const bool renew = wishes.contains(Wish{enroller->name(), true});
    const bool wished = renew || (wishes.contains(Wish{enroller->name(), false}) && enroller->has_work(now));
    if (!wished && (now < enroller->due() || !trust_->ready())) continue;
    (void)enroller->step(now, renew);  // noted in its state
    ++attempts_;
  }
}

void Agent::follow_hints(int64_t now) {
  if (now < hints_at_ || !trust_->ready()) return;
  bool has_hints = false;
  for (const auto& enroller : enrollers_) has_hints |= enroller->follow_hint(now);
  hints_at_ = now + (has_hints ? est::kRenewalInfoInterval : kHintlessInterval);
}

void Agent::publish(int64_t now) {
  Snapshot next;
  next.attempts = attempts_;
  for (const auto& enroller : enrollers_) {
    next.certificates.push_back(enroller->status(now));
    if (clock_failure_) next.certificates.back().last_failure = clock_failure_;
  }
  next.ca_pem = pem_of(trust_->anchors()) + pem_of(trust_->state().intermediates);
  next.ca_fetched_at = trust_->state().fetched_at;
  next.ca_failure = clock_failure_ ? clock_failure_ : trust_->state().last_failure;
  board_.publish(std::move(next));
}

int64_t Agent::next_due(int64_t now) const {
  int64_t next = std::min(trust_->due(), credential_->due());
  for (const auto& enroller : enrollers_) {
    if (trust_->ready()) next = std::min(next, enroller->due());
  }
  if (trust_->ready()) next = std::min(next, hints_at_);
  return std::max(next, now + 1);
}

}  // namespace wvds::est_service
