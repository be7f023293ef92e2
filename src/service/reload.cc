#include "service/reload.h"

namespace wvds::service {
namespace {

struct Section {
  const char* name;
  bool (*same)(const config::ServiceConfig& a, const config::ServiceConfig& b);
};

template <auto Member>
bool same(const config::ServiceConfig& a, const config::ServiceConfig& b) {
  return a.*Member == b.*Member;
}

using config::ServiceConfig;

constexpr Section kFixed[] = {
    {"socket", same<&ServiceConfig::socket>},
    {"store", same<&ServiceConfig::store>},
    {"fips", same<&ServiceConfig::fips>},
    {"engines", same<&ServiceConfig::engines>},
    {"replay_window", same<&ServiceConfig::replay_window>},
    {"sessions.slots",
     [](const ServiceConfig& a, const ServiceConfig& b) { return a.sessions.slots == b.sessions.slots; }},
    {"keys", same<&ServiceConfig::keys>},
    {"nonce", same<&ServiceConfig::nonces>},
    {"locked_memory", same<&ServiceConfig::locked_memory>},
    {"audit", same<&ServiceConfig::audit>},
    {"metrics.file", [](const ServiceConfig& a, const ServiceConfig& b) { return a.metrics.file == b.metrics.file; }},
};

}  // namespace

// Whatever differs and has no name above is told too: nothing may look as if it were in force.
std::vector<std::string> needs_restart(const ServiceConfig& running, const ServiceConfig& next) {
  std::vector<std::string> names;
  for (const Section& section : kFixed) {
    if (!section.same(running, next)) names.emplace_back(section.name);
  }
  ServiceConfig changed = next;
  changed.clients = running.clients;
  changed.rate_limit = running.rate_limit;
  changed.sessions.total = running.sessions.total;
  changed.log_level = running.log_level;
  changed.metrics.interval_s = running.metrics.interval_s;
  changed.est = running.est;  // est_service reads it
  if (names.empty() && changed != running) names.emplace_back("a setting");
  return names;
}

}  // namespace wvds::service
