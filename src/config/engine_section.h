#pragma once

#include "config/section.h"
#include "config/service_config.h"

// The "engines" section of config.json.
namespace wvds::config {

// read_engines reads the list; `out.fips` and `out.locked_memory` must have been read before: an engine contradicts
// either one's "required".
void read_engines(Section& root, const Vocabulary& vocabulary, Problems& problems, ServiceConfig& out);

}  // namespace wvds::config
