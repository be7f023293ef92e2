#include "service/auto_rotation.h"

#include <algorithm>
#include <new>

#include "base/log.h"

namespace wvds::service {

constexpr size_t kStackSize = 256 << 10;

Result<std::unique_ptr<AutoRotation>> AutoRotation::start(keystore::KeyStore& store, AuditLog& audit) {
  std::unique_ptr<AutoRotation> rotation(new AutoRotation(store, audit));
  WVDS_ASSIGN(thread, platform::Thread::start("key-rotation", kStackSize, [self = rotation.get()] { self->run(); }));
  rotation->thread_ = std::move(thread);
  return rotation;
}

AutoRotation::~AutoRotation() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void AutoRotation::post(RotationJob job) {
  {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(jobs_, job) != jobs_.end()) return;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void AutoRotation::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const RotationJob& job = jobs_.front();  // stays where it is while others come
    lock.unlock();
    rotate(job);
    lock.lock();
    jobs_.pop_front();
  }
}

// Where memory runs out there is no new version; later uses ask again.
void AutoRotation::rotate(const RotationJob& job) try {
  const auto access = store_.find(job.owner, job.session, job.key_id);
  if (!access) return;  // deleted meanwhile
  const auto active = access->key->active();
  if (!active || (*active)->number() != job.version) return;  // retired, or rotated already
  const auto rotated = store_.rotate(job.owner, job.session, job.key_id);
  audit_.add({.event = "key-rotate",
              .status = rotated ? Status::kSuccess : rotated.error().status,
              .principal = job.owner,
              .session = job.session,
              .key_id = job.key_id,
              .detail = rotated ? "by itself: the version before is nearly used up" : rotated.error().detail,
              .durable = true});
  if (rotated) {
    log_info("key rotated by itself", {{"key", job.key_id}, {"owner", job.owner}, {"version", (*rotated)->number()}});
  } else {
    log_error("automatic rotation failed", {{"key", job.key_id},
                                            {"owner", job.owner},
                                            {"status", status_name(rotated.error().status)},
                                            {"detail", rotated.error().detail}});
  }
} catch (const std::bad_alloc&) {
}

}  // namespace wvds::service
