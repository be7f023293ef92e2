#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "keystore/key_store.h"
#include "platform/thread.h"
#include "service/audit_log.h"

namespace wvds::service {

// RotationJob names a key version that has been used so much that a new one shall follow it.
struct RotationJob {
  std::string owner;
  keystore::SessionId session = 0;
  uint32_t key_id = 0;
  uint32_t version = 0;

  bool operator==(const RotationJob&) const = default;
};

// AutoRotation rotates keys in a thread of its own, because a rotation waits for the disk and a request must not. A key
// that has all the versions it may have is not rotated, and the log says that an old version has to be deleted first:
// nothing is lost unasked.
class AutoRotation {
 public:
  // start: store and audit log must outlive the object.
  static Result<std::unique_ptr<AutoRotation>> start(keystore::KeyStore& store, AuditLog& audit);
  ~AutoRotation();  // waits for a rotation that is under way; forgets the others
  AutoRotation(const AutoRotation&) = delete;
  AutoRotation& operator=(const AutoRotation&) = delete;

  // post asks for a rotation; nothing happens when it was asked for already or the version is no longer the newest.
  // Does not wait for the disk.
  void post(RotationJob job);

 private:
  AutoRotation(keystore::KeyStore& store, AuditLog& audit) : store_(store), audit_(audit) {}
  void run();
  void rotate(const RotationJob& job);

  keystore::KeyStore& store_;
  AuditLog& audit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<RotationJob> jobs_;  // the first one is being done
  bool stopping_ = false;
  platform::Thread thread_;
};

}  // namespace wvds::service
