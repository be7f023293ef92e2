#include "channel/pairing.h"

#include "platform/thread.h"

namespace wvds::channel {

void ClientPairing::submitting(bool alone) {
  if (!processor_) return;
  if (!alone) {
    if (streak_ == kStreak) store(wish_, 0);
    streak_ = 0;
  } else if (streak_ < kStreak) {
    ++streak_;
    if (streak_ == kStreak) store(wish_, *processor_ + 1);
  }
}

bool ServicePairing::follow() {
  const uint32_t wish = load(wish_);
  if (wish == followed_ || served_since_ < kPatience) return paired_;
  followed_ = wish;
  served_since_ = 0;
  if (paired_) platform::unbind_thread();
  paired_ = wish != 0 && platform::bind_thread(wish - 1);
  return paired_;
}

}  // namespace wvds::channel
