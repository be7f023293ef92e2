#include "service/start_up.h"

#include <span>

#include "base/log.h"
#include "service/engine_text.h"

namespace wvds::service {
const char* fips_word(crypto::FipsState state) {
  switch (state) {
    case crypto::FipsState::kOff: return "off";
    case crypto::FipsState::kActive: return "active";
    case crypto::FipsState::kUnavailable: return "unavailable";
  }
  return "off";
}

Result<uint64_t> new_epoch(const crypto::Library& library) {
  uint64_t epoch = 0;
  WVDS_TRY(library.random(std::as_writable_bytes(std::span(&epoch, 1))));
  return epoch;
}

void log_ready(const config::ServiceConfig& config, const crypto::Library& library, const std::string& reached_at) {
  log_info("ready", {{"version", WVDS_VERSION},
                     {"reached_at", reached_at},
                     {"store", config.store.path},
                     {"library", library.version()},
                     {"provider", provider_text(library)},
                     {"fips", fips_word(library.fips_state())}});
  for (const crypto::EngineInfo& engine : library.engines()) {
    log_info("engine",
             {{"algorithms", engine_algorithms(engine)}, {"provider", engine.title}, {"module", engine.module}});
  }
  if (!library.fips_detail().empty()) log_warning("no FIPS", {{"cause", library.fips_detail()}});
}

}  // namespace wvds::service
