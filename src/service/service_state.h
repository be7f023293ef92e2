#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "config/service_config.h"
#include "crypto/aead.h"
#include "crypto/library.h"
#include "keystore/key_store.h"
#include "service/auto_rotation.h"
#include "service/clock.h"
#include "service/key_guard.h"

namespace wvds::service {

// ServiceState is what all sessions share. Thread-safe: constant, atomic or with a lock of its own.
struct ServiceState {
  const config::ServiceConfig config;
  const crypto::Library& library;
  const Clock& clock;
  const uint64_t epoch;
  const std::string version;
  const TimePoint started;
  std::unique_ptr<keystore::KeyStore> store;
  std::atomic<uint32_t> sessions{0};
  std::atomic<keystore::SessionId> next_session{1};
  std::atomic<bool> stopping{false};
  KeyGuards guards;
  std::unique_ptr<AutoRotation> rotation;  // null where keys are not rotated by themselves

  crypto::NonceMode nonces() const {
    return config.nonces == config::Nonces::kRandom ? crypto::NonceMode::kRandom : crypto::NonceMode::kCounter;
  }
};

}  // namespace wvds::service
