#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/service_config.h"
#include "crypto/aead.h"
#include "crypto/library.h"
#include "keystore/key_store.h"
#include "service/audit_log.h"
#include "service/auto_rotation.h"
#include "service/clock.h"
#include "service/key_guard.h"
#include "service/metrics.h"
#include "service/rights.h"

namespace wvds::service {

// PendingRestart is what config.json says differently since, and only a restart can bring about. Thread-safe.
class PendingRestart {
 public:
  void set(std::vector<std::string> settings) {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
  }
  std::vector<std::string> settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> settings_;
};

// ServiceState is what all sessions share. Thread-safe: constant, atomic or with a lock of its own.
struct ServiceState {
  const config::ServiceConfig config;  // as it was at start; what a reload changes is in `rights` and `session_limit`
  const crypto::Library& library;
  const Clock& clock;
  const uint64_t epoch;
  const std::string version;
  const TimePoint started;
  std::unique_ptr<keystore::KeyStore> store;
  Rights rights;
  Metrics metrics{};
  PendingRestart pending_restart{};
  std::atomic<uint32_t> session_limit{0};
  std::atomic<uint32_t> sessions{0};
  std::atomic<keystore::SessionId> next_session{1};
  std::atomic<bool> stopping{false};
  KeyGuards guards;
  std::unique_ptr<AuditLog> audit = nullptr;  // after the store, which keeps its head
  std::unique_ptr<AutoRotation> rotation;     // null where keys are not rotated by themselves

  crypto::NonceMode nonces() const {
    return config.nonces == config::Nonces::kRandom ? crypto::NonceMode::kRandom : crypto::NonceMode::kCounter;
  }
};

}  // namespace wvds::service
