#include "channel/spin.h"

#include <algorithm>

namespace wvds::channel {

Nanoseconds ServiceSpin::bound() {
  if (probation_ > 0) return Nanoseconds(0);
  if (credit_ > 0) return kLong;
  if (++short_looks_ % kProbeEvery == 0) return kLong;
  return kShort;
}

void ServiceSpin::found() { credit_ = std::min(credit_ + 1, kMaxCredit); }

void ServiceSpin::missed() { credit_ -= std::min(credit_, kMissCost); }

void ServiceSpin::valid_request() {
  if (probation_ > 0) --probation_;
}

Nanoseconds ClientSpin::bound() {
  long_look_ = false;
  if (!may_spin_) return Nanoseconds(0);
  if (patience_ > 0) {
    --patience_;
    return kBriefly;
  }
  Nanoseconds longest{0};
  for (Nanoseconds duration : recent_) {
    if (duration <= kMost) longest = std::max(longest, duration);
  }
  const Nanoseconds bound = std::clamp(longest + longest / 4, kLeast, kMost);
  long_look_ = bound > kLeast;
  return bound;
}

void ClientSpin::found(Nanoseconds duration) {
  misses_ = 0;
  remember(duration);
}

void ClientSpin::missed() {
  if (!long_look_ || ++misses_ < kMissesToBackOff) return;
  misses_ = 0;
  patience_ = kPatience;
}

void ClientSpin::remember(Nanoseconds duration) {
  recent_[next_] = duration;
  next_ = (next_ + 1) % recent_.size();
}

}  // namespace wvds::channel
