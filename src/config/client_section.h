#pragma once

#include <vector>

#include "config/section.h"
#include "config/service_config.h"

// The "clients" and "rate_limit" sections of config.json.
namespace wvds::config {

inline constexpr size_t kMaxClients = 256;

void read_rate_limit(const JsonValue& value, const std::string& path, Problems& problems, RateLimit& out);

// read_clients reads the list; the defaults of a client's rate limit are `out.rate_limit`, which must have been read
// before.
void read_clients(Section& root, const Vocabulary& vocabulary, Problems& problems, ServiceConfig& out);

}  // namespace wvds::config
